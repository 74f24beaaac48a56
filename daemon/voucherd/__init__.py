"""voucherd: reads forwarded voucher mails, reminds partners before each deadline, reconciles their invoices."""

__version__ = "0.1.0"
