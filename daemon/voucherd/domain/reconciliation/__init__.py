"""Invoices against redeemed vouchers: documents, the class of each line, the verdict of each voucher, the bridge."""
