-- Codes that make things cheaper. `reserved` counts orders that are not paid yet, `redeemed` those
-- that are; each has a row in discount_redemptions.

create table discounts (
    id text collate "C" primary key,
    code text collate "C" not null unique check (code ~ '^[A-Z0-9][A-Z0-9_-]{2,31}$'),
    title text not null default '' check (length(title) <= 100),
    kind text not null check (kind in ('percent', 'amount')),
    percent_ppm integer check (percent_ppm between 1 and 1000000),
    amount_minor bigint check (amount_minor between 1 and 1000000000000),
    currency char(3) collate "C" check (currency ~ '^[A-Z]{3}$'),
    product_id text collate "C" references products (id) on delete cascade,
    once_a_customer boolean not null,
    redemptions_max integer check (redemptions_max >= 1),
    reserved integer not null default 0 check (reserved >= 0),
    redeemed integer not null default 0 check (redeemed >= 0),
    starts_at timestamptz not null,
    ends_at timestamptz check (ends_at >= starts_at),
    created_at timestamptz not null,
    check (reserved + redeemed <= redemptions_max),
    check (
        case kind
            when 'percent' then percent_ppm is not null and amount_minor is null and currency is null
            else percent_ppm is null and amount_minor is not null and currency is not null
        end
    )
) with (fillfactor = 80);

create table discount_redemptions (
    discount_id text collate "C" not null references discounts (id) on delete cascade,
    order_id text collate "C" not null,
    customer_id text collate "C" not null,
    once boolean not null,
    state text not null check (state in ('reserved', 'redeemed', 'released')),
    at timestamptz not null,
    primary key (order_id, discount_id)
) with (fillfactor = 80);

create unique index discount_redemptions_once on discount_redemptions (discount_id, customer_id)
    where once and state <> 'released';
create index discount_redemptions_of_discount on discount_redemptions (discount_id, order_id);
