"""Every line of SQL about refunds, requests for them, and disputes."""
