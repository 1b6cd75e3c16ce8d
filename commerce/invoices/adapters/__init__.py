"""What prints invoices."""
