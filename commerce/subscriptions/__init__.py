"""Plans that are paid for again and again: trials, renewals, changes, and what comes of no money.

Owns the tables `plans`, `plan_prices`, `subscriptions`, `subscription_charges`, `trial_uses` and
`subscription_steps`. Every charge is an order of its own. Tells `SubscriptionChanged` on the
subscriber's topic. Hears what becomes of the money of its orders.
"""
