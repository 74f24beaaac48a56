"""What is true of vouchers, mails, deadlines and money: values and pure functions, no clock and no I/O."""
