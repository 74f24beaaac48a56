"""What a server's refusal or a broken connection means: later, or never (RFC 5530 response codes)."""

from __future__ import annotations

import imaplib
import re
import ssl

from imapclient.exceptions import LoginError, ProtocolError

from voucherd.errors import PermanentError, SignInRefusedError, TemporaryError, VoucherdError

BROKEN = (imaplib.IMAP4.error, OSError, ValueError, TypeError, LookupError)
"""What imapclient, imaplib and the socket raise when the server refuses, hangs up or answers nonsense; the
last three come out of their parsers."""

_LATER = frozenset({"UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG", "OVERQUOTA"})
_NEVER = frozenset({"NOPERM", "CANNOT", "NONEXISTENT", "AUTHORIZATIONFAILED"})
_CODE = re.compile(r"\[([A-Z][A-Z0-9-]*)")
_LONGEST_TEXT = 200


def text_of(error: BaseException) -> str:
    """The error in one printable line of at most 200 characters."""
    first = error.args[-1] if error.args else ""
    said = first.decode("utf-8", "replace") if isinstance(first, bytes) else str(error)
    if said.startswith(("b'", 'b"')):  # imapclient turns imaplib's bytes into text by str()
        said = said[2:-1]
    printable = "".join(char if char.isprintable() else " " for char in said[: 4 * _LONGEST_TEXT])
    return (" ".join(printable.split()) or type(error).__name__)[:_LONGEST_TEXT]


def code_of(error: BaseException) -> str:
    """The RFC 5530 response code in a server's answer, empty where it gave none."""
    found = _CODE.search(text_of(error))
    return found[1] if found else ""


def is_no(error: BaseException) -> bool:
    """Whether the server answered NO: it understood, and the connection is still good."""
    return type(error) is imaplib.IMAP4.error and " failed: " in str(error)


def connection_failed(error: BaseException, where: str) -> VoucherdError:
    """The error for a connection that could not be made or trusted."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return PermanentError(
            f"the server's certificate is not trusted ({error.verify_message})",
            where=where,
            remedy="name the authority that signed it in ca_file, or correct the host name",
        )
    if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError):
        return TemporaryError(
            f"no TLS with the server ({text_of(error)})",
            where=where,
            remedy="imaps:// needs a TLS port (993), imap:// one with STARTTLS (143); TLS 1.2 is the least",
        )
    return TemporaryError(f"cannot connect ({text_of(error)})", where=where)


def sign_in_failed(error: LoginError, where: str) -> VoucherdError:
    """The error for LOGIN or AUTHENTICATE: a plain NO is a refusal, everything else means "later"."""
    said = text_of(error)
    cause = error.__context__
    if isinstance(cause, imaplib.IMAP4.abort) or code_of(error) in _LATER or "command error" in said:
        return TemporaryError(f"cannot sign in now ({said})", where=where)
    return SignInRefusedError(
        f"sign-in refused ({said})", where=where, remedy="check the user and the password"
    )


def not_selected(error: BaseException, where: str) -> VoucherdError:
    """The error for a SELECT that was answered NO: servers often name no reason, and mostly it is the name."""
    said = text_of(error)
    if code_of(error) in _LATER:
        return TemporaryError(f"the folder cannot be opened now ({said})", where=where)
    return PermanentError(
        f"the folder cannot be opened ({said})", where=where, remedy="make it, or correct the mailbox's url"
    )


def refused(error: BaseException, where: str, doing: str) -> VoucherdError:
    """The error for anything that went wrong while `doing` something after sign-in."""
    if isinstance(error, imaplib.IMAP4.readonly):
        return PermanentError(
            "the folder may only be read", where=where, remedy="give the account the right to move mail"
        )
    code = code_of(error) if is_no(error) else ""
    if code in _NEVER:
        return PermanentError(f"{doing}: refused ({text_of(error)})", where=where)
    if code == "OVERQUOTA":
        return TemporaryError(
            f"{doing}: the mailbox is full", where=where, remedy="make room, or raise the quota"
        )
    if isinstance(error, ProtocolError) or not isinstance(error, imaplib.IMAP4.error | OSError):
        return TemporaryError(f"{doing}: the server's answer makes no sense ({text_of(error)})", where=where)
    return TemporaryError(f"{doing}: {text_of(error)}", where=where)
