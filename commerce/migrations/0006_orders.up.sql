-- What was bought. Prices are frozen in the lines; `version` is the number of the last event.

create sequence order_numbers;

create table orders (
    id text collate "C" primary key,
    number text collate "C" not null unique,
    buyer_id text collate "C" not null,
    cart_id text collate "C" unique references carts (id),
    state text not null check (
        state in ('draft', 'awaiting_payment', 'paid', 'fulfilled', 'canceled', 'expired')
    ),
    version bigint not null check (version >= 0),
    total_minor bigint not null check (total_minor >= 0),
    currency char(3) collate "C" not null check (currency ~ '^[A-Z]{3}$'),
    placed_at timestamptz not null
);

create index orders_of_buyer on orders (buyer_id, id desc);
create index orders_to_expire on orders (placed_at, id) where state = 'awaiting_payment';

create table order_lines (
    id text collate "C" primary key,
    order_id text collate "C" not null references orders (id),
    position smallint not null check (position >= 1),
    variant_id text collate "C" not null references variants (id),
    product_id text collate "C" not null references products (id),
    title text not null,
    quantity smallint not null check (quantity between 1 and 99),
    unit_price_minor bigint not null check (unit_price_minor >= 0),
    total_minor bigint not null check (total_minor = unit_price_minor * quantity),
    currency char(3) collate "C" not null,
    takes_stock boolean not null,
    unique (order_id, position)
);

-- One row for each edge an order went along. Append-only.
create table order_events (
    order_id text collate "C" not null references orders (id),
    seq bigint not null check (seq >= 1),
    type text not null,
    from_state text not null,
    to_state text not null,
    event_id text collate "C" not null,
    at timestamptz not null,
    primary key (order_id, seq)
);

create function refuse_to_rewrite_order_events() returns trigger language plpgsql as $$
begin
    raise exception 'order_events is append-only';
end;
$$;

create trigger order_events_stay_as_they_are
    before update or delete on order_events
    for each row execute function refuse_to_rewrite_order_events();

create trigger order_events_are_not_emptied
    before truncate on order_events
    for each statement execute function refuse_to_rewrite_order_events();
