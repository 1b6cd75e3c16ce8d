-- What a cart was said to come to, and until when that holds. One order may be made of it.

create table quotes (
    id text collate "C" primary key,
    buyer_id text collate "C" not null,
    cart_version bigint not null,
    currency char(3) collate "C" not null,
    country char(2) collate "C" not null,
    codes text[] not null,
    basket jsonb not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    order_id text collate "C"
);

create index quotes_to_forget on quotes (expires_at);
