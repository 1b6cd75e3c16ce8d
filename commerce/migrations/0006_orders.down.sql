drop table order_events;
drop function refuse_to_rewrite_order_events();
drop table order_lines;
drop table orders;
drop sequence order_numbers;
