alter table products drop column tax_class;
drop table prices;
drop function refuse_to_rewrite_prices();
