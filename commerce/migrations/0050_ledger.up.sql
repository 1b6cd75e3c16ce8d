-- The books, in double entry. What is posted is never changed: a mistake is posted back.
--
-- A positive amount is a debit, a negative one a credit. A posting and all its entries are written in
-- one transaction; at its end they must be as many as the posting says and come to nothing in each
-- currency, or nothing is committed.

create table ledger_postings (
    id          bigint generated always as identity primary key,
    key         text collate "C" not null unique,
    order_id    text collate "C",
    at          timestamptz not null,
    memo        text not null,
    entry_count smallint not null check (entry_count >= 2),
    xid         xid8 not null default pg_current_xact_id()
);

comment on column ledger_postings.key is 'What is posted, once: such as sale:ord_….';

create index ledger_postings_of_order on ledger_postings (order_id, id) where order_id is not null;
create index ledger_postings_in_time on ledger_postings (at, id);

create table ledger_entries (
    posting_id   bigint not null references ledger_postings (id),
    position     smallint not null check (position >= 1),
    account      text collate "C" not null check (account in (
        'processor', 'bank', 'customer_funds', 'sales', 'refunds', 'disputes', 'tax_payable',
        'processor_fees', 'exchange', 'adjustments'
    )),
    amount_minor bigint not null check (amount_minor <> 0),
    currency     char(3) collate "C" not null check (currency ~ '^[A-Z]{3}$'),
    primary key (posting_id, position)
);

create function check_ledger_posting() returns trigger language plpgsql as $$
begin
    if new.entry_count <> (select count(*) from ledger_entries where posting_id = new.id) then
        raise exception 'posting % has not % entries', new.key, new.entry_count
            using errcode = 'check_violation';
    end if;
    if exists (
        select from ledger_entries where posting_id = new.id
         group by currency having sum(amount_minor) <> 0
    ) then
        raise exception 'posting % does not balance', new.key using errcode = 'check_violation';
    end if;
    return null;
end;
$$;

create constraint trigger ledger_postings_balance
    after insert on ledger_postings deferrable initially deferred
    for each row execute function check_ledger_posting();

-- So an entry can only be written with its posting, which is checked when that transaction ends.
create function check_ledger_entries() returns trigger language plpgsql as $$
begin
    if exists (
        select from written join ledger_postings posting on posting.id = written.posting_id
         where posting.xid <> pg_current_xact_id()
    ) then
        raise exception 'entries are written with their posting' using errcode = 'check_violation';
    end if;
    return null;
end;
$$;

create trigger ledger_entries_come_with_their_posting
    after insert on ledger_entries referencing new table as written
    for each statement execute function check_ledger_entries();

create function refuse_to_rewrite_the_ledger() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only', tg_table_name;
end;
$$;

create trigger ledger_postings_stay_as_they_are
    before update or delete on ledger_postings
    for each row execute function refuse_to_rewrite_the_ledger();

create trigger ledger_postings_are_not_emptied
    before truncate on ledger_postings
    for each statement execute function refuse_to_rewrite_the_ledger();

create trigger ledger_entries_stay_as_they_are
    before update or delete on ledger_entries
    for each row execute function refuse_to_rewrite_the_ledger();

create trigger ledger_entries_are_not_emptied
    before truncate on ledger_entries
    for each statement execute function refuse_to_rewrite_the_ledger();
