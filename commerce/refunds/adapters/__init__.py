"""How refunds reach the payment processor."""
