-- What may become of an order: money that came and went back, goods, disputes, holds.

alter table orders drop constraint orders_state_check;
alter table orders add constraint orders_state_check check (
    state in (
        'draft', 'awaiting_payment', 'processing', 'paid', 'fulfilled', 'canceled', 'expired',
        'paid_late', 'partially_refunded', 'refunded'
    )
);

alter table orders
    add column subtotal_minor bigint not null default 0 check (subtotal_minor >= 0),
    add column discount_minor bigint not null default 0 check (discount_minor >= 0),
    add column tax_minor bigint not null default 0 check (tax_minor >= 0),
    add column captured_minor bigint not null default 0,
    add column refunded_minor bigint not null default 0,
    add column taxes jsonb not null default '[]',
    add column country char(2) collate "C" check (country ~ '^[A-Z]{2}$'),
    add column delivery text not null default 'none' check (
        delivery in ('none', 'pending', 'delivered', 'suspended', 'revoked')
    ),
    add column dispute text not null default 'none' check (
        dispute in ('none', 'open', 'won', 'lost')
    ),
    add column held boolean not null default false,
    add column held_reason text not null default '',
    add column late boolean not null default false,
    add column pay_until timestamptz,
    add column paid_at timestamptz,
    add column fulfilled_at timestamptz,
    add column subscription_id text collate "C";

update orders set subtotal_minor = total_minor;

-- An order from before there were payments was paid in full if it was paid at all.
update orders set captured_minor = total_minor where state in ('paid', 'fulfilled');
update orders set pay_until = placed_at + interval '24 hours' where state = 'awaiting_payment';
update orders
   set paid_at = (
           select at from order_events
            where order_id = orders.id and to_state = 'paid' order by seq limit 1
       ),
       fulfilled_at = (
           select at from order_events
            where order_id = orders.id and to_state = 'fulfilled' order by seq limit 1
       ),
       delivery = case state when 'fulfilled' then 'delivered' else 'pending' end
 where state in ('paid', 'fulfilled');

alter table orders
    add constraint orders_money_taken check (captured_minor in (0, total_minor)),
    add constraint orders_money_back check (refunded_minor between 0 and captured_minor),
    add constraint orders_wait_until check (state <> 'awaiting_payment' or pay_until is not null);

drop index orders_to_expire;
create index orders_to_expire on orders (pay_until, id) where state = 'awaiting_payment';
create index orders_by_state on orders (state, id desc);
create index orders_by_time on orders (placed_at desc, id desc);
create index orders_held on orders (id desc) where held;
create index orders_disputed on orders (id desc) where dispute <> 'none';
create index orders_of_subscription on orders (subscription_id, id desc)
    where subscription_id is not null;

alter table order_lines drop constraint order_lines_check;
alter table order_lines
    add column discount_minor bigint not null default 0,
    add column tax_minor bigint not null default 0 check (tax_minor >= 0),
    add column tax_name text not null default '',
    add column tax_ppm integer not null default 0 check (tax_ppm >= 0),
    add column tax_inclusive boolean not null default true,
    add column refunded_minor bigint not null default 0,
    add column price_id text collate "C",
    add constraint order_lines_discount check (
        discount_minor between 0 and unit_price_minor * quantity
    ),
    add constraint order_lines_total check (
        total_minor = unit_price_minor * quantity - discount_minor
                    + case when tax_inclusive then 0 else tax_minor end
    ),
    add constraint order_lines_money_back check (refunded_minor between 0 and total_minor);

create index order_lines_of_product on order_lines (product_id, order_id desc);

-- Why, where there is something to say: what the bank said, what the shop looks at.
alter table order_events add column detail text not null default '';
