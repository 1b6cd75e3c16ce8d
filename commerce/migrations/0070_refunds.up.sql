-- Money on its way back to buyers, and what is asked for before that.
--
-- A refund is written and committed before the bank is asked; its id is the key of the call. What is
-- reserved counts as given back from then on, so that no two refunds together exceed what was paid:
-- the trigger below says so again, whatever the code does.

create table refundable_orders (
    order_id        text collate "C" primary key references orders (id),
    captured_minor  bigint not null check (captured_minor >= 0),
    currency        char(3) collate "C" not null
);

create table refunds (
    id                text collate "C" primary key,
    order_id          text collate "C" not null references refundable_orders (order_id),
    buyer_id          text collate "C" not null,
    state             text not null check (
        state in ('reserved', 'submitting', 'pending', 'succeeded', 'failed', 'canceled')
    ),
    version           bigint not null check (version >= 1),
    amount_minor      bigint not null check (amount_minor > 0),
    currency          char(3) collate "C" not null,
    reason            text not null default '',
    origin            text not null check (origin in ('buyer', 'staff', 'late', 'processor')),
    actor_id          text collate "C",
    restocks          boolean not null default false,
    tax_minor         bigint not null default 0,
    stripe_refund_id  text collate "C" unique,
    failure           text not null default '',
    has_succeeded     boolean not null default false,
    attempts          smallint not null default 0,
    next_try_at       timestamptz,
    submitted_at      timestamptz,
    created_at        timestamptz not null
) with (fillfactor = 80);

comment on column refunds.tax_minor is 'How much of it is tax, once it has succeeded.';
comment on column refunds.has_succeeded is 'Whether the books have it; a refund may fail days after.';

create index refunds_of_order on refunds (order_id, id);
create index refunds_by_state on refunds (state, id desc);
create index refunds_to_try on refunds (next_try_at, id) where next_try_at is not null;

create table refund_lines (
    refund_id     text collate "C" not null references refunds (id),
    line_id       text collate "C" not null references order_lines (id),
    amount_minor  bigint not null check (amount_minor > 0),
    quantity      smallint not null default 0 check (quantity >= 0),
    primary key (refund_id, line_id)
);

comment on column refund_lines.quantity is 'How many go back into a limited stock.';

-- One row for each thing that happened to a refund. Append-only.
create table refund_steps (
    refund_id   text collate "C" not null references refunds (id),
    version     bigint not null,
    from_state  text not null,
    to_state    text not null,
    detail      text not null default '',
    at          timestamptz not null,
    primary key (refund_id, version)
);

create function refuse_to_rewrite_refund_steps() returns trigger language plpgsql as $$
begin
    raise exception 'refund_steps is append-only';
end;
$$;

create trigger refund_steps_stay_as_they_are
    before update or delete on refund_steps
    for each row execute function refuse_to_rewrite_refund_steps();

create trigger refund_steps_are_not_emptied
    before truncate on refund_steps
    for each statement execute function refuse_to_rewrite_refund_steps();

create function refuse_to_refund_more_than_was_paid() returns trigger language plpgsql as $$
declare
    paid bigint;
    given bigint;
begin
    select captured_minor into paid
      from refundable_orders
     where order_id = new.order_id
       for update;
    select coalesce(sum(amount_minor), 0) into given
      from refunds
     where order_id = new.order_id
       and state not in ('failed', 'canceled');
    if given > paid then
        raise exception 'order % was paid %, and % would be given back', new.order_id, paid, given
            using errcode = 'check_violation', constraint = 'refunds_within_what_was_paid';
    end if;
    return null;
end;
$$;

create trigger refunds_stay_within_what_was_paid
    after insert or update of state, amount_minor on refunds
    for each row execute function refuse_to_refund_more_than_was_paid();

-- What buyers ask for. One that is approved becomes the refund of the same id.
create table refund_requests (
    id            text collate "C" primary key,
    order_id      text collate "C" not null references orders (id),
    buyer_id      text collate "C" not null,
    state         text not null check (state in ('asked', 'approved', 'denied', 'withdrawn')),
    amount_minor  bigint not null check (amount_minor > 0),
    currency      char(3) collate "C" not null,
    parts         jsonb not null,
    reason        text not null default '',
    answer        text not null default '',
    decided_by    text collate "C",
    asked_at      timestamptz not null,
    decided_at    timestamptz
) with (fillfactor = 80);

create unique index refund_requests_one_open_an_order
    on refund_requests (order_id) where state = 'asked';
create index refund_requests_of_order on refund_requests (order_id, id);
create index refund_requests_by_state on refund_requests (state, id desc);

-- What buyers' banks ask back, and what they warn of. A disputed sum may be more than was paid.
create table disputes (
    id                 text collate "C" primary key,
    stripe_dispute_id  text collate "C" not null unique,
    order_id           text collate "C" not null references orders (id),
    status             text not null,
    reason             text not null default '',
    is_inquiry         boolean not null,
    amount_minor       bigint not null check (amount_minor >= 0),
    currency           char(3) collate "C" not null,
    withdrawn_minor    bigint not null default 0,
    evidence_due_at    timestamptz,
    seen_at            timestamptz not null,
    opened_at          timestamptz not null,
    closed_at          timestamptz
) with (fillfactor = 80);

create index disputes_of_order on disputes (order_id, id);
create index disputes_by_time on disputes (id desc);
create index disputes_open on disputes (id desc) where closed_at is null;

create table fraud_warnings (
    stripe_warning_id  text collate "C" primary key,
    order_id           text collate "C" not null references orders (id),
    kind               text not null default '',
    warned_at          timestamptz not null
);

create index fraud_warnings_of_order on fraud_warnings (order_id);
