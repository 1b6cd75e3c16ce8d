"""Who pays and with what: customers, payment methods, cards set up for later."""
