"""Synthetic bounces in the layouts that mail systems really write; names and servers are made up."""

from __future__ import annotations

from tests.mailmaking import mail, multipart, part

RETURNED = "<1b@desk.example>"
RECIPIENT = "sam@contoso.example"
_DAEMON = (("Return-Path", "<>"), ("From", "Mail Delivery System <mailer-daemon@mx.desk.example>"))


def copy_of(message_id: str = RETURNED, sender: str = "vouchers@desk.example") -> str:
    """The mail that comes back, as far as it is shown."""
    return (
        f"Return-Path: <{sender}>\r\nFrom: Voucher desk <vouchers@desk.example>\r\nTo: {RECIPIENT}\r\n"
        f"Subject: Voucher DPS-1001: reserve it\r\nMessage-ID: {message_id}\r\n"
        "Date: Fri, 29 Oct 2021 09:00:00 +0200\r\n\r\nVoucher ID: DPS-1001\r\n"
    )


def dsn(
    *,
    to: str = "vouchers@desk.example",
    action: str = "failed",
    status: str = "5.1.1",
    recipient: str = RECIPIENT,
    original: str = "",
    envelope_id: str = "",
    message_id: str = RETURNED,
    diagnostic: str = "smtp; 550 5.1.1 <sam@contoso.example>: Recipient address rejected",
    returned: str = "message/rfc822",
    extra: str = "",
    closed: bool = True,
) -> bytes:
    """A delivery status notification (RFC 3464)."""
    about = "Reporting-MTA: dns; mx.desk.example\r\n"
    about += f"Original-Envelope-Id: {envelope_id}\r\n" if envelope_id else ""
    each = f"Original-Recipient: rfc822;{original}\r\n" if original else ""
    each += f"Final-Recipient: rfc822; {recipient}\r\nAction: {action}\r\nStatus: {status}\r\n"
    each += f"Diagnostic-Code: {diagnostic}\r\n" if diagnostic else ""
    return multipart(
        part("This is the mail system at host mx.desk.example.\r\n"),
        part(f"{about}\r\n{each}{extra}", "message/delivery-status"),
        part(copy_of(message_id), returned),
        subtype="report; report-type=delivery-status",
        closed=closed,
        headers=(*_DAEMON, ("To", to), ("Subject", "Undelivered Mail Returned to Sender")),
    )


def complaint(*, to: str = "vouchers@desk.example", kind: str = "abuse", mail_from: str = "") -> bytes:
    """A complaint (RFC 5965)."""
    fields = (
        f"Feedback-Type: {kind}\r\nUser-Agent: loop/1\r\nVersion: 1\r\nOriginal-Rcpt-To: <{RECIPIENT}>\r\n"
    )
    fields += f"Original-Mail-From: <{mail_from}>\r\n" if mail_from else ""
    return multipart(
        part("This is an abuse report.\r\n"),
        part(fields, "message/feedback-report"),
        part(copy_of(), "message/rfc822"),
        subtype="report; report-type=feedback-report",
        headers=(("From", "feedback@isp.example"), ("To", to), ("Subject", "Abuse report")),
    )


def worded(subject: str, text: str, *headers: tuple[str, str], to: str = "vouchers@desk.example") -> bytes:
    """A bounce that is text only, from a mail system; `headers` go before the usual ones."""
    given = {name for name, _ in headers}
    usual = [(name, value) for name, value in _DAEMON if name not in given]
    return mail(text.replace("\n", "\r\n"), *headers, *usual, ("To", to), ("Subject", subject))


QMAIL = (
    "failure notice",
    """Hi. This is the qmail-send program at mx.desk.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<sam@contoso.example>:
192.0.2.25 does not like recipient.
Remote host said: 550 5.1.1 User unknown
Giving up on 192.0.2.25.

--- Below this line is a copy of the message.

"""
    + copy_of().replace("\r\n", "\n"),
)
QMAIL_TOO_LONG = (
    "failure notice",
    QMAIL[1]
    .replace("Remote host said: 550 5.1.1 User unknown", "Connected but sender was rejected. (#4.4.2)")
    .replace(
        "Giving up on 192.0.2.25.", "I'm not going to try again; this message has been in the queue too long."
    ),
)
EXIM = (
    "Mail delivery failed: returning message to sender",
    """This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  sam@contoso.example
    host mx.contoso.example [192.0.2.25]
    SMTP error from remote mail server after RCPT TO:<sam@contoso.example>:
    550 5.1.1 <sam@contoso.example>: no such user (Exim 4.94.2)

------ This is a copy of the message, including all the headers. ------

"""
    + copy_of().replace("\r\n", "\n"),
)
EXIM_WARNING = (
    "Warning: message 1mgQ2a-0004Xy-7d delayed 24 hours",
    """This message was created automatically by mail delivery software.
A message that you sent has not yet been delivered to one or more of its
recipients after more than 24 hours on the queue on mx.desk.example.

The address to which the message has not yet been delivered is:

  sam@contoso.example
    host mx.contoso.example [192.0.2.25]
    SMTP error from remote mail server after RCPT TO:<sam@contoso.example>:
    451 4.7.1 Greylisting in action

No action is required on your part. Delivery attempts will continue for some time.
""",
)
POSTFIX = (
    "Undelivered Mail Returned to Sender",
    """This is the mail system at host mx.desk.example.

I'm sorry to have to inform you that your message could not
be delivered to one or more recipients. It's attached below.

                   The mail system

<sam@contoso.example>: host mx.contoso.example[192.0.2.25] said: 550 5.1.1
    <sam@contoso.example>: Recipient address rejected: User unknown (in reply to RCPT TO command)
""",
)
POSTFIX_WARNING = (
    "Delayed Mail (still being retried)",
    """####################################################################
# THIS IS A WARNING ONLY.  YOU DO NOT NEED TO RESEND YOUR MESSAGE. #
####################################################################

Your message could not be delivered for more than 4 hour(s).
It will be retried until it is 5 day(s) old.

<sam@contoso.example>: connect to mx.contoso.example[192.0.2.25]:25: Connection timed out
""",
)
EXCHANGE = (
    "Undeliverable: Voucher DPS-1001: reserve it",
    """Delivery has failed to these recipients or groups:

Sam Ortiz (sam@contoso.example)<mailto:sam@contoso.example>
The email address you entered couldn't be found. Please check the recipient's email address and try to resend.

Diagnostic information for administrators:

Generating server: EX01.contoso.example

sam@contoso.example
Remote Server returned '550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found'

Original message headers:

Message-ID: <1b@desk.example>
Subject: Voucher DPS-1001: reserve it
""",
)
EXCHANGE_GERMAN = (
    "Unzustellbar: Gutschein DPS-1001",
    """Fehler bei der Nachrichtenzustellung an folgende Empfänger oder Gruppen:

Sam Ortiz (sam@contoso.example)
Das Postfach des Empfängers wurde nicht gefunden.

Diagnoseinformationen für Administratoren:
#550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##
""",
)
GMAIL = (
    "Delivery Status Notification (Failure)",
    """** Address not found **

Your message wasn't delivered to sam@contoso.example because the address couldn't be found, or is unable to
receive mail.

The response from the remote server was:
550 5.1.1 The email account that you tried to reach does not exist.
""",
)
GMAIL_OLD = (
    "Delivery Status Notification (Failure)",
    """Delivery to the following recipient failed permanently:

     sam@contoso.example

Technical details of permanent failure:
Google tried to deliver your message, but it was rejected by the server for the recipient domain contoso.example.
The error that the other server returned was:
550 5.1.1 User unknown

----- Original message -----

Message-ID: <1b@desk.example>
""",
)
GMAIL_DELAY = (
    "Delivery Status Notification (Delay)",
    """** Delivery incomplete **

There was a temporary problem delivering your message to sam@contoso.example. Gmail will retry for 47 more hours.
You'll be notified if the delivery fails permanently.
""",
)
SERVICE = (
    "Message not delivered",
    """Hello, we could not deliver the message below.

Recipient: sam@contoso.example
Reason: 550 5.7.1 blocked by policy
""",
)
KOREAN = (
    "배달되지 않음: 상품권 DPS-1001",
    """다음 받는 사람 또는 그룹에게 배달하지 못했습니다.

sam@contoso.example
받는 사람의 사서함이 가득 찼습니다. 5.2.2
""",
)
EXCHANGE_OLD = (
    "Undelivered",
    """Your message

  To:      sam@contoso.example
  Subject: Voucher DPS-1001
  Sent:    Fri, 29 Oct 2021 09:00:00 +0200

did not reach the following recipient(s):

sam@contoso.example on Fri, 29 Oct 2021 09:00:05 +0200
    The recipient name is not recognized
    MSEXCH:IMS:NNN:CONTOSO:MAIL 0 (000C05A6)
""",
)
NOTES = (
    "Undeliverable message",
    """------- Failure Reasons  --------

User not listed in public Name & Address Book
sam@contoso.example

------- Returned Message --------
Received: from mx.desk.example by contoso.example for <other@contoso.example>
Message-ID: <1b@desk.example>
""",
)
ZOHO = (
    "Undelivered Mail Returned to Sender",
    """This message was created automatically by mail delivery software.
A message that you sent could not be delivered to one or more of its recipients. This is a permanent error.

sam@contoso.example Invalid Address, ERROR_CODE :550, ERROR_CODE :Requested action not taken

Received:from mx.desk.example for <other@contoso.example>
Message-ID:<1b@desk.example>
""",
)
SENDMAIL = (
    "Returned mail: see transcript for details",
    """The original message was received at Fri, 29 Oct 2021 09:00:00 +0200
from localhost [127.0.0.1]

   ----- The following addresses had permanent fatal errors -----
<sam@contoso.example>
    (reason: 550 5.1.1 User unknown)

   ----- Transcript of session follows -----
... while talking to mx.contoso.example.:
>>> DATA
<<< 550 5.1.1 User unknown
""",
)
