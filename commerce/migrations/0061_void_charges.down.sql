drop index subscription_charges_void;
