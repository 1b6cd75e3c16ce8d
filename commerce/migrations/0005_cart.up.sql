-- What users mean to buy: one open cart each. `version` grows with every change, and goes on
-- growing from one cart of a user to the next.

create table carts (
    id text collate "C" primary key,
    user_id text collate "C" not null,
    state text not null check (state in ('open', 'ordered')),
    version bigint not null check (version >= 0),
    opened_at timestamptz not null,
    changed_at timestamptz not null
);

create unique index carts_open on carts (user_id) where state = 'open';

-- The price is the one the buyer was last shown: an order is refused when it is no longer true.
create table cart_lines (
    cart_id text collate "C" not null references carts (id) on delete cascade,
    variant_id text collate "C" not null references variants (id),
    quantity smallint not null check (quantity between 1 and 99),
    price_minor bigint not null check (price_minor >= 0),
    currency char(3) collate "C" not null,
    added_at timestamptz not null,
    primary key (cart_id, variant_id)
);
