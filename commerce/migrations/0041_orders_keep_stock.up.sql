-- Orders that wait keep their stock by reservations, which name them, instead of taking it away.

insert into reservations (order_id, variant_id, quantity, state, expires_at)
select line.order_id, line.variant_id, sum(line.quantity), 'held', min(orders.pay_until)
  from orders
  join order_lines line on line.order_id = orders.id
  join variants variant on variant.id = line.variant_id
 where orders.state = 'awaiting_payment'
   and line.takes_stock
   and variant.on_hand is not null
 group by line.order_id, line.variant_id
    on conflict do nothing;

insert into reservations (order_id, variant_id, quantity, state, expires_at)
select line.order_id, line.variant_id, sum(line.quantity), 'consumed', min(orders.placed_at)
  from orders
  join order_lines line on line.order_id = orders.id
 where orders.state in ('paid', 'fulfilled')
   and line.takes_stock
 group by line.order_id, line.variant_id
    on conflict do nothing;

update variants
   set on_hand = on_hand + kept.quantity, reserved = reserved + kept.quantity
  from (
        select variant_id, sum(quantity)::integer as quantity
          from reservations
         where state = 'held'
         group by variant_id
       ) kept
 where variants.id = kept.variant_id
   and variants.on_hand is not null;
