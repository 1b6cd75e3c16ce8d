delete from carts where guest_hash is not null;
drop index carts_of_guests;
drop index carts_open_of_guest;
alter table carts
    drop constraint carts_have_one_owner,
    drop constraint carts_state_check,
    add constraint carts_state_check check (state in ('open', 'ordered')),
    drop column currency,
    drop column guest_hash,
    alter column user_id set not null;
