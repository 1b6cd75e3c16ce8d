-- Plans that are paid for again and again. What a subscription is charged is an order of its own.

create table plans (
    id text collate "C" primary key,
    product_id text collate "C" not null references products (id),
    variant_id text collate "C" not null references variants (id),
    title text not null check (length(title) between 1 and 100),
    interval_unit text not null check (interval_unit in ('day', 'week', 'month', 'year')),
    interval_count integer not null check (interval_count between 1 and 24),
    trial_days integer not null check (trial_days between 0 and 90),
    coupon_periods integer check (coupon_periods >= 1),
    entitlements text[] not null,
    active boolean not null,
    created_at timestamptz not null
);

create table plan_prices (
    plan_id text collate "C" not null references plans (id) on delete cascade,
    position integer not null,
    currency char(3) collate "C" not null check (currency ~ '^[A-Z]{3}$'),
    amount_minor bigint not null check (amount_minor between 0 and 1000000000000),
    primary key (plan_id, currency)
);

create table subscriptions (
    id text collate "C" primary key,
    user_id text collate "C" not null,
    product_id text collate "C" not null references products (id),
    plan_id text collate "C" not null references plans (id),
    title text not null,
    state text not null check (
        state in (
            'incomplete', 'incomplete_expired', 'trialing', 'active', 'past_due', 'unpaid',
            'paused', 'canceled'
        )
    ),
    version bigint not null check (version >= 0),
    currency char(3) collate "C" not null,
    country text collate "C" not null,
    price_minor bigint not null check (price_minor >= 0),
    interval_unit text not null,
    interval_count integer not null,
    time_zone text not null,
    anchor_at timestamptz not null,
    anchor_number integer not null,
    period_number integer not null check (period_number >= 0),
    period_starts_at timestamptz not null,
    period_ends_at timestamptz not null check (period_ends_at > period_starts_at),
    value_minor bigint not null check (value_minor >= 0),
    value_from timestamptz not null,
    credit_minor bigint not null check (credit_minor >= 0),
    created_at timestamptz not null,
    next_plan_id text collate "C" references plans (id),
    cancels_at_period_end boolean not null,
    discount_id text collate "C",
    discount_periods_left integer check (discount_periods_left >= 0),
    method_id text collate "C",
    failures integer not null check (failures >= 0),
    customer_tries integer not null check (customer_tries >= 0),
    next_try_at timestamptz,
    paused_at timestamptz check ((paused_at is null) = (state <> 'paused')),
    resumes_at timestamptz,
    ended_at timestamptz check (
        (ended_at is null) = (state not in ('incomplete_expired', 'canceled'))
    ),
    due_at timestamptz
) with (fillfactor = 80);

-- Two subscriptions to one thing would both be charged.
create unique index subscriptions_alive on subscriptions (user_id, product_id)
    where state not in ('incomplete_expired', 'canceled');
create index subscriptions_of_user on subscriptions (user_id, id desc);
create index subscriptions_due on subscriptions (due_at, id) where due_at is not null;

create table subscription_charges (
    id text collate "C" primary key,
    subscription_id text collate "C" not null references subscriptions (id),
    kind text not null check (kind in ('start', 'renewal', 'change')),
    number integer not null,
    order_id text collate "C" not null unique,
    state text not null check (state in ('open', 'paid', 'void', 'returned')),
    plan_id text collate "C" not null references plans (id),
    from_plan_id text collate "C" not null references plans (id),
    price_minor bigint not null check (price_minor >= 0),
    due_minor bigint not null check (due_minor >= 0),
    value_minor bigint not null check (value_minor >= 0),
    credit_delta_minor bigint not null,
    takes_coupon boolean not null,
    created_at timestamptz not null,
    failed_seq bigint not null default 0,
    try_at timestamptz,
    settled_at timestamptz check ((settled_at is null) = (state = 'open'))
);

-- One thing at a time is paid for, and a period once, whatever happens at its beginning.
create unique index subscription_charges_open on subscription_charges (subscription_id)
    where state = 'open';
create unique index subscription_charges_once on subscription_charges (subscription_id, number)
    where kind <> 'change' and state in ('open', 'paid');
create index subscription_charges_of on subscription_charges (subscription_id, id desc);

-- Who has had a trial of what, by account and by card: one row, one trial.
create table trial_uses (
    product_id text collate "C" not null,
    used_by text collate "C" not null,
    subscription_id text collate "C" not null,
    at timestamptz not null,
    primary key (product_id, used_by)
);

create table subscription_steps (
    subscription_id text collate "C" not null references subscriptions (id),
    version bigint not null,
    fact text not null,
    from_state text not null,
    to_state text not null,
    detail text not null,
    at timestamptz not null,
    primary key (subscription_id, version)
);

create index subscription_charges_to_try on subscription_charges (try_at, id)
    where state = 'open' and try_at is not null;
