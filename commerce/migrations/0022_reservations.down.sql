alter table variants drop column stock, drop constraint variants_never_oversold;
update variants set on_hand = on_hand - reserved where on_hand is not null;
alter table variants drop column reserved;
alter table variants rename constraint variants_on_hand_check to variants_stock_check;
alter table variants rename column on_hand to stock;
drop table reservations;
