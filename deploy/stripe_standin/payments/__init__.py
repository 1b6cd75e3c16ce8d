"""Money in and out: intents, charges, refunds, disputes, the balance."""
