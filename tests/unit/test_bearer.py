"""A token in place of a password, on the wire of IMAP and SMTP (RFC 7628; XOAUTH2 as Google and Microsoft write it)."""

from __future__ import annotations

import base64

import pytest

from voucherd.domain.bearer import BearerSignIn, check_user, chosen, is_token
from voucherd.errors import PermanentError


@pytest.mark.parametrize(
    ("mechanism", "user", "said"),
    [
        ("XOAUTH2", "desk@desk.example", b"user=desk@desk.example\x01auth=Bearer abc\x01\x01"),
        ("OAUTHBEARER", "desk@desk.example", b"n,a=desk@desk.example,\x01auth=Bearer abc\x01\x01"),
        ("OAUTHBEARER", "a=b,c", b"n,a=a=3Db=2Cc,\x01auth=Bearer abc\x01\x01"),
    ],
)
def test_the_first_answer_names_the_user_and_the_token(mechanism: str, user: str, said: bytes) -> None:
    assert BearerSignIn(mechanism, user, "abc").after(b"") == said


@pytest.mark.parametrize(("mechanism", "acknowledged"), [("XOAUTH2", b""), ("OAUTHBEARER", b"\x01")])
@pytest.mark.parametrize(
    ("challenge", "status"),
    [
        (b'{"status":"401","schemes":"bearer"}', "401"),
        (b'{"status":"invalid_token"}', ""),
        (b'{"status":400}', "400"),
        (b'{"status":"a\\r\\nb"}', ""),
        (b"[" * 4000, ""),
        (b"[1]", ""),
        (b"no JSON", ""),
    ],
)
def test_the_servers_error_is_acknowledged_and_its_status_kept(
    mechanism: str, acknowledged: bytes, challenge: bytes, status: str
) -> None:
    attempt = BearerSignIn(mechanism, "desk", "abc")
    attempt.after(b"")
    assert attempt.after(challenge) == acknowledged
    assert attempt.status == status


@pytest.mark.parametrize(
    ("announced", "used"),
    [
        (("XOAUTH2",), "XOAUTH2"),
        (("PLAIN", "XOAUTH2", "OAUTHBEARER"), "OAUTHBEARER"),
        (("OAUTHBEARER",), "OAUTHBEARER"),
    ],
)
def test_what_the_server_announces_is_used_and_the_standard_first(
    announced: tuple[str, ...], used: str
) -> None:
    assert chosen(announced, "vouchers") == used


def test_a_server_that_takes_no_tokens_is_told_apart() -> None:
    with pytest.raises(PermanentError, match=r'vouchers: .*no sign-in with a token.*auth = "password"'):
        chosen(("PLAIN", "LOGIN"), "vouchers")


@pytest.mark.parametrize(
    ("token", "good"),
    [
        ("ya29.a0Af_-~+/x==", True),
        ("", False),
        ("a b", False),
        ("a\x01b", False),
        ("a\r\nb", False),
        ("ä", False),
    ],
)
def test_only_what_cannot_end_a_field_is_a_token(token: str, good: bool) -> None:
    assert is_token(token) is good
    assert not is_token("x" * 16_385)


def test_a_user_with_a_control_character_is_refused() -> None:
    with pytest.raises(PermanentError, match="control character"):
        check_user("desk\x01auth=Bearer x", "vouchers")


def test_neither_the_repr_nor_what_a_server_repeats_shows_the_token() -> None:
    attempt = BearerSignIn("XOAUTH2", "desk", "canary")
    encoded = base64.b64encode(attempt.response).decode()
    assert "canary" not in repr(attempt)
    assert (
        attempt.hidden(f"NO: AUTHENTICATE XOAUTH2 {encoded} (canary)") == "NO: AUTHENTICATE XOAUTH2 *** (***)"
    )
