-- Files the staff asked for. `fence` grows with each program that writes one, so that only the newest
-- may say how far it is; one that has not said so until `lease_until` is taken for dead.

create table exports (
    id             text collate "C" primary key,
    kind           text not null check (kind in ('orders', 'lines', 'refunds', 'ledger')),
    format         text not null check (format in ('csv', 'jsonl', 'xlsx')),
    filters        jsonb not null,
    asked_by       text collate "C" not null,
    asked_at       timestamptz not null,
    state          text not null default 'waiting' check (
        state in ('waiting', 'running', 'ready', 'failed', 'canceled')
    ),
    version        bigint not null default 1,
    rows_done      bigint not null default 0,
    rows_expected  bigint,
    size_bytes     bigint,
    tag            text collate "C",
    error          text not null default '',
    attempts       smallint not null default 0,
    fence          integer not null default 0,
    lease_until    timestamptz,
    finished_at    timestamptz,
    check (state <> 'ready' or (size_bytes is not null and tag is not null))
) with (fillfactor = 70);

create index exports_to_write on exports (id) where state in ('waiting', 'running');
create index exports_finished on exports (finished_at) where finished_at is not null;
