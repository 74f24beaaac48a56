"""The way out over SMTP (RFC 5321): verified TLS or nothing, one recipient a transaction, one connection for many."""

from voucherd.adapters.smtp.delivery import SmtpDelivery

__all__ = ["SmtpDelivery"]
