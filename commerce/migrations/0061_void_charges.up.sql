-- Orders of void charges are looked for until they are canceled.

create index subscription_charges_void on subscription_charges (settled_at, id)
    where state = 'void';
