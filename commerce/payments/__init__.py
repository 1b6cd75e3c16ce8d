"""Being paid: attempts, the cards buyers keep, and what Stripe tells us.

Owns the tables `payments`, `payment_customers` and `stripe_events`. Tells `PaymentChanged` on the
order's topic and the buyer's. It knows neither what an order is nor what a refund is for: those
above ask it to open an attempt, submit it, and record what came of it.

Stripe is called between transactions, never within one: the row is there first, and its id is the
idempotency key of the call.
"""
