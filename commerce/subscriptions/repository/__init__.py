"""Every line of SQL about plans and subscriptions."""
