drop table grant_steps;
drop function refuse_to_rewrite_grant_steps;
drop table grants;
drop table product_benefits;
