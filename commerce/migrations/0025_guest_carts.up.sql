-- Carts of people who have not signed in: known by the hash of a token in their cookie, until they
-- sign in and what is in them goes over into the cart of the user. A cart's currency may be chosen.

alter table carts
    alter column user_id drop not null,
    add column guest_hash bytea check (octet_length(guest_hash) = 32),
    add column currency char(3) collate "C" check (currency ~ '^[A-Z]{3}$'),
    drop constraint carts_state_check,
    add constraint carts_state_check check (state in ('open', 'ordered', 'merged')),
    add constraint carts_have_one_owner check (num_nonnulls(user_id, guest_hash) = 1);

create unique index carts_open_of_guest on carts (guest_hash) where state = 'open';
create index carts_of_guests on carts (changed_at) where guest_hash is not null;
