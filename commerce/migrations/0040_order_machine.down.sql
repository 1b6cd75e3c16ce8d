alter table order_events drop column detail;

drop index order_lines_of_product;
alter table order_lines
    drop constraint order_lines_money_back,
    drop constraint order_lines_total,
    drop constraint order_lines_discount,
    drop column price_id,
    drop column refunded_minor,
    drop column tax_inclusive,
    drop column tax_ppm,
    drop column tax_name,
    drop column tax_minor,
    drop column discount_minor;
alter table order_lines
    add constraint order_lines_check check (total_minor = unit_price_minor * quantity) not valid;

drop index orders_of_subscription;
drop index orders_disputed;
drop index orders_held;
drop index orders_by_time;
drop index orders_by_state;
drop index orders_to_expire;
create index orders_to_expire on orders (placed_at, id) where state = 'awaiting_payment';

alter table orders
    drop constraint orders_wait_until,
    drop constraint orders_money_back,
    drop constraint orders_money_taken,
    drop column subscription_id,
    drop column fulfilled_at,
    drop column paid_at,
    drop column pay_until,
    drop column late,
    drop column held_reason,
    drop column held,
    drop column dispute,
    drop column delivery,
    drop column country,
    drop column taxes,
    drop column refunded_minor,
    drop column captured_minor,
    drop column tax_minor,
    drop column discount_minor,
    drop column subtotal_minor;

-- States of later are told as the nearest of before.
update orders set state = 'awaiting_payment' where state = 'processing';
update orders set state = 'canceled' where state = 'paid_late';
update orders set state = 'fulfilled' where state in ('partially_refunded', 'refunded');

alter table orders drop constraint orders_state_check;
alter table orders add constraint orders_state_check check (
    state in ('draft', 'awaiting_payment', 'paid', 'fulfilled', 'canceled', 'expired')
);
