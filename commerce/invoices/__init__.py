"""Invoices and credit notes, numbered without a gap.

Owns the tables `sellers`, `invoice_series` and `invoices`. Tells `InvoiceIssued` on the order's
topic and the buyer's.
"""
