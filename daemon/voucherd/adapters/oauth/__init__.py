"""Sign-in by OAuth2: tokens from Microsoft, Google or another issuer, kept in files, renewed before they lapse."""

from voucherd.adapters.oauth.sign_in import SignIn

__all__ = ["SignIn"]
