-- Which attempt to pay an order has last heard of, and the discounts it was priced with.

alter table orders
    add column payment_id text collate "C",
    add column payment_version bigint not null default 0,
    add column discount_ids text[] collate "C" not null default '{}';
