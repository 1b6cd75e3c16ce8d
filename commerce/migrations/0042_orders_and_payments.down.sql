alter table orders
    drop column discount_ids,
    drop column payment_version,
    drop column payment_id;
