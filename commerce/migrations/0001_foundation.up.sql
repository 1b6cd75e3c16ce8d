-- What every feature stands on: events on their way out, commands and messages on their way in.

-- The event outbox. A row is written in the transaction that makes the fact true. The relay reads
-- what is not published yet, so a row that commits late is never skipped.
create table outbox (
    id            bigint generated always as identity primary key,
    kind          text collate "C" not null check (kind in ('event', 'grant', 'revoke')),
    topic         text collate "C" not null,
    event_id      text collate "C",
    body          bytea,
    member        text collate "C",
    role          text collate "C",
    created_at    timestamptz not null,
    publish_batch bigint,
    published_at  timestamptz,
    check ((kind = 'event') = (event_id is not null and body is not null)),
    check ((kind = 'event') = (member is null)),
    check ((publish_batch is null) = (published_at is null))
);

create index outbox_unpublished on outbox (id) where publish_batch is null;
create index outbox_published on outbox (publish_batch, id) where publish_batch is not null;
create index outbox_published_at on outbox (published_at) where published_at is not null;

create sequence outbox_batches;

-- What became of each command, by the key the client minted for it.
create table command_outcomes (
    user_id     text collate "C" not null,
    key         text collate "C" not null,
    fingerprint bytea not null,
    entry       text collate "C" not null,
    outcome     bytea not null,
    created_at  timestamptz not null,
    primary key (user_id, key)
);

create index command_outcomes_created_at on command_outcomes (created_at);

-- Messages of other streams that were taken in, so that none takes effect twice.
create table inbox (
    consumer    text collate "C" not null,
    message_key text collate "C" not null,
    received_at timestamptz not null,
    primary key (consumer, message_key)
);

create index inbox_received_at on inbox (received_at);

-- Answers to HTTP requests that came with an Idempotency-Key.
create table idempotency_keys (
    principal   text collate "C" not null,
    key         text collate "C" not null,
    fingerprint bytea not null,
    fence       bigint not null,
    lease_until timestamptz,
    status      smallint,
    headers     jsonb,
    body        bytea,
    created_at  timestamptz not null,
    primary key (principal, key),
    check ((lease_until is null) = (status is not null))
);

create index idempotency_keys_created_at on idempotency_keys (created_at);

create sequence idempotency_fences;

-- When each job of the clock last ran.
create table job_runs (
    name        text collate "C" primary key,
    next_run_at timestamptz not null,
    last_run_at timestamptz,
    last_error  text
);
