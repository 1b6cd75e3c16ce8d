"""Every line of SQL about orders. Whoever changes an order holds its row first."""
