-- Invoices and credit notes. A number is taken in the transaction that is paid for, under the row lock
-- of its series, so that none is ever missing and none is there twice. A paper never changes.

create table sellers (
    id     text collate "C" primary key,
    facts  jsonb not null
);

comment on table sellers is 'Who sells, as the settings say; papers keep a copy of their own.';

create table invoice_series (
    seller_id  text collate "C" not null,
    kind       text not null check (kind in ('invoice', 'credit_note')),
    year       smallint not null,
    next       bigint not null check (next >= 1),
    last_at    timestamptz not null,
    primary key (seller_id, kind, year)
) with (fillfactor = 50);

create table invoices (
    id           text collate "C" primary key,
    key          text collate "C" not null unique,
    number       text collate "C" not null unique,
    seller_id    text collate "C" not null,
    kind         text not null check (kind in ('invoice', 'credit_note')),
    year         smallint not null,
    serial       bigint not null check (serial >= 1),
    order_id     text collate "C" not null,
    buyer_id     text collate "C" not null,
    corrects     text collate "C" references invoices (id),
    currency     char(3) collate "C" not null check (currency ~ '^[A-Z]{3}$'),
    total_minor  bigint not null check (total_minor >= 0),
    tax_minor    bigint not null check (tax_minor between 0 and total_minor),
    issued_at    timestamptz not null,
    paper        jsonb not null,
    unique (seller_id, kind, year, serial)
);

comment on column invoices.key is 'What it is of, once: such as order:ord_… or refund:rfd_….';
comment on column invoices.corrects is 'The invoice that a credit note takes from, or that is restored.';

create index invoices_of_buyer on invoices (buyer_id, id desc);
create index invoices_of_order on invoices (order_id, id);
create index invoices_newest on invoices (id desc);

create function check_invoice_number() returns trigger language plpgsql as $$
begin
    if new.serial > 1 and not exists (
        select from invoices
         where seller_id = new.seller_id and kind = new.kind and year = new.year
           and serial = new.serial - 1
    ) then
        raise exception 'invoice % leaves a gap', new.number using errcode = 'check_violation';
    end if;
    return null;
end;
$$;

create trigger invoices_leave_no_gap
    after insert on invoices
    for each row execute function check_invoice_number();

create function refuse_to_rewrite_invoices() returns trigger language plpgsql as $$
begin
    raise exception 'invoices is append-only';
end;
$$;

create trigger invoices_stay_as_they_are
    before update or delete on invoices
    for each row execute function refuse_to_rewrite_invoices();

create trigger invoices_are_not_emptied
    before truncate on invoices
    for each statement execute function refuse_to_rewrite_invoices();
