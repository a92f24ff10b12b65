"""What several test folders share and no fixture can hold."""
