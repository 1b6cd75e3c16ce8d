drop table variants;
drop table products;
drop table categories;
