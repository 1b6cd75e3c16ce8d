"""What somebody bought, and where it stands.

Owns the tables `orders`, `order_lines` and `order_events`. Tells `OrderPlaced`, `OrderPaid`,
`OrderFulfilled`, `OrderCanceled` and `OrderExpired` on the order's and the buyer's topic. Takes
the commands `PlaceOrder` and `CancelOrder`. Expires what is not paid in time.
"""
