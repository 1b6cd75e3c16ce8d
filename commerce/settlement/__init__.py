"""What Stripe tells us, taken in and made true.

Owns the table `stripe_events`. A webhook is checked, written down and only then answered; a worker
reads it later, asks Stripe how the thing it is about stands now, and tells payments, orders and
refunds. An event is a hint: it may come twice, late, in any order, or never, and what is never told
is found by the sweep and the reconciliation.
"""
