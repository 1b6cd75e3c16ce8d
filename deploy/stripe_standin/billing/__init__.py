"""What is sold again and again: products, prices, subscriptions, invoices, test clocks."""
