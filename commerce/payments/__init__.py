"""Being paid: attempts, and the cards buyers keep.

Owns the tables `payments` and `payment_customers`. Tells `PaymentChanged` on the
order's topic and the buyer's. It knows neither what an order is nor what a refund is for: those
above ask it to open an attempt, submit it, and record what came of it.

Stripe is called between transactions, never within one: the row is there first, and its id is the
idempotency key of the call.
"""
