"""The page on which somebody pays, where Stripe.js would be otherwise."""
