drop table stripe_events;
drop table payments;
drop table payment_customers;
