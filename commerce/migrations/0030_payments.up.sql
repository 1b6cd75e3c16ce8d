-- Attempts to be paid, and who buyers are at Stripe. A row is written and committed before Stripe
-- is called, and its id is the key of that call: whatever is killed when, nothing is charged twice.

create table payment_customers (
    user_id text collate "C" primary key,
    customer_id text collate "C" not null unique,
    created_at timestamptz not null
);

create table payments (
    id text collate "C" primary key,
    order_id text collate "C" not null,
    buyer_id text collate "C" not null,
    version bigint not null check (version >= 1),
    state text not null check (
        state in (
            'created', 'submitting', 'requires_method', 'requires_action', 'processing',
            'succeeded', 'failed', 'canceled', 'unknown'
        )
    ),
    amount_minor bigint not null check (amount_minor > 0),
    currency char(3) collate "C" not null check (currency ~ '^[A-Z]{3}$'),
    captured_minor bigint not null default 0 check (captured_minor between 0 and amount_minor),
    off_session boolean not null,
    saves_method boolean not null,
    method_id text collate "C",
    -- How often it was submitted; with the id it is the idempotency key at Stripe.
    submissions integer not null check (submissions >= 1),
    submitted_at timestamptz not null,
    intent_id text collate "C" unique,
    client_secret text collate "C",
    charge_id text collate "C" unique,
    failure text,
    -- When what is written here was asked for at Stripe: older news does not count.
    observed_at timestamptz,
    created_by_run text collate "C" not null,
    created_at timestamptz not null,
    check (state <> 'succeeded' or captured_minor = amount_minor)
);

-- Two live charges for one order cannot be.
create unique index payments_live on payments (order_id)
    where state not in ('failed', 'canceled');
create index payments_of_order on payments (order_id, id desc);
create index payments_unsettled on payments (submitted_at, id)
    where state in ('created', 'submitting', 'requires_method', 'requires_action', 'processing',
                    'unknown');

-- What Stripe told us, as it came. It is answered once this is committed, and read again later.
create table stripe_events (
    id text collate "C" primary key,
    type text collate "C" not null,
    object_id text collate "C",
    livemode boolean not null,
    api_version text collate "C",
    created_at timestamptz not null,
    payload bytea not null,
    received_at timestamptz not null,
    state text not null default 'pending' check (state in ('pending', 'done', 'ignored', 'dead')),
    attempts integer not null default 0,
    due_at timestamptz not null,
    last_error text
);

create index stripe_events_due on stripe_events (due_at, id) where state = 'pending';
create index stripe_events_received on stripe_events (received_at);
