"""The closed list of alarms: what voucherd tells the operators of, each once until it is over.

A code names the words of a mail (`[alarm]` and `[remedy]` of a `words.toml`), so one is added in both places.
What a letter's `Alarm` carries with it, besides its code, is said at each: `subject`, `detail`, `count`, `on`.
"""

from __future__ import annotations

from enum import StrEnum


class AlarmCode(StrEnum):
    """Why operators are written to."""

    ADDRESS_SUPPRESSED = "address-suppressed"
    """Mail to an address failed for good: nothing more is sent there. `subject` the address, `detail` the server's
    words."""

    NO_ADDRESS = "no-address"
    """A reminder is due and there is nobody to send it to. `subject` the voucher or partner, `count` the vouchers."""

    COMPLAINT = "complaint"
    """A recipient reported our mail as unwanted. `subject` the address."""

    TEMPLATE_FALLBACK = "template-fallback"
    """The operator's own template failed, the shipped one was used. `subject` the template, `detail` the fault."""

    BURST = "burst"
    """More mails than `burst_limit` are due at once and wait for a person. `count` the mails."""

    HOLD_LAST_STEP = "hold-last-step"
    """A hold keeps back the last reminder before a deadline. `subject` the voucher, `on` the deadline, `detail` why it
    is held, `target` the partner or programme where that is what is held."""

    MAILBOX_DOWN = "mailbox-down"
    """A mailbox could not be read for a while. `subject` the mailbox, `detail` the cause, `count` the hours since the
    last successful look."""

    MAILBOX_BACK = "mailbox-back"
    """That mailbox is read again. `subject` the mailbox, `count` the hours that it was away."""

    SENDING_DOWN = "sending-down"
    """No mail could be sent for a while. `subject` the server, `detail` the cause, `count` the hours since the last
    mail went out."""

    SENDING_BACK = "sending-back"
    """Mail goes out again. `subject` the server, `count` the hours that it could not."""

    SIGN_IN_REFUSED = "sign-in-refused"
    """A server refuses the password or token. `subject` the mailbox or server, `detail` the server's words."""

    SECRET_EXPIRES = "secret-expires"  # noqa: S105 - the name of an alarm
    """A credential ends soon. `subject` its name, `on` the last day, `count` the days left."""

    DISK_FULL = "disk-full"
    """There is too little space left, so no mail is taken in. `subject` the folder, `detail` what is left."""

    CLOCK_JUMPED = "clock-jumped"
    """The clock of the machine moved by more than it should, so nothing is sent. `detail` by how much, from what to
    what."""

    LOST_MAIL = "lost-mail"
    """The count of a mailbox does not add up. `subject` the mailbox, `count` the messages that are missing."""

    MAIL_FAILED = "mail-failed"
    """A mail of ours could not be delivered within its time. `subject` to whom, `detail` the cause, `count` the
    vouchers that it was about."""

    MAIL_NOT_WRITTEN = "mail-not-written"
    """No template could write a mail of ours, the shipped one included: it was not sent. `subject` to whom, `detail`
    the cause, `count` the vouchers that it was about, `target` its number in the outbox."""

    IN_DOUBT_TWICE = "in-doubt-twice"
    """It is unknown, for the second time, whether a mail arrived; it is not sent a third time. `subject` to whom,
    `detail` its number in the outbox."""

    CLOSED_PERIOD = "closed-period"
    """A document or fact arrived for a month that is closed. `subject` the document or voucher, `on` a day of that
    month, `detail` what it would change."""
