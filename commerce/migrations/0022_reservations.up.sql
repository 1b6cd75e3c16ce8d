-- Stock that is kept for orders until they are paid. `stock` is what is left to sell: what is there
-- less what is kept. Nothing there (null) means that it cannot run out.

alter table variants rename column stock to on_hand;
alter table variants rename constraint variants_stock_check to variants_on_hand_check;
alter table variants
    add column reserved integer not null default 0 check (reserved >= 0),
    add constraint variants_never_oversold check (reserved <= on_hand);
alter table variants
    add column stock integer generated always as (on_hand - reserved) stored;

create table reservations (
    order_id text collate "C" not null,
    variant_id text collate "C" not null references variants (id),
    quantity integer not null check (quantity >= 1),
    -- How many of them came back after they had been used.
    quantity_back integer not null default 0 check (quantity_back between 0 and quantity),
    state text not null default 'held' check (state in ('held', 'consumed', 'released')),
    expires_at timestamptz not null,
    primary key (order_id, variant_id),
    check (quantity_back = 0 or state = 'consumed')
) with (fillfactor = 80);

create index reservations_held on reservations (variant_id) where state = 'held';
create index reservations_due on reservations (expires_at) where state = 'held';
