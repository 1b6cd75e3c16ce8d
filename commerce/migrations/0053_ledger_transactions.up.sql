-- What the processor says it moved, one row a balance transaction, to hold beside the ledger.

create table ledger_transactions (
    id            text collate "C" primary key,
    kind          text not null,
    keys          text[] not null,
    amount_minor  bigint not null,
    fee_minor     bigint not null,
    currency      char(3) collate "C" not null,
    at            timestamptz not null
);

comment on column ledger_transactions.keys is 'Under which of these the ledger should have it.';

create index ledger_transactions_in_time on ledger_transactions (at);
create index ledger_transactions_by_key on ledger_transactions using gin (keys);

-- When the two were held beside one another, up to which moment.
create table ledger_reconciliations (
    id            bigint generated always as identity primary key,
    since         timestamptz not null,
    until         timestamptz not null,
    transactions  integer not null,
    differences   integer not null,
    at            timestamptz not null
);
