-- Licences: what was bought to be used on machines. No key is kept, only its hash under a pepper.
--
-- `active_count` is the number of rows in license_activations, changed in the statement that adds or
-- takes one; the check on it is the last line of defence against one machine too many.

create table license_policies (
    product_id    text collate "C" primary key references products (id),
    prefix        text collate "C" not null check (prefix ~ '^[0-9A-HJKMNP-TV-Z]{2,6}$'),
    machines_max  integer not null check (machines_max between 1 and 1000),
    valid_days    integer check (valid_days >= 1),
    file_days     integer not null check (file_days between 1 and 366),
    entitlements  text[] not null default '{}'
);

create table licenses (
    id             text collate "C" primary key,
    product_id     text collate "C" not null references products (id),
    title          text not null,
    prefix         text collate "C" not null,
    holder_id      text collate "C" not null,
    order_id       text collate "C" not null references orders (id),
    order_line_id  text collate "C" not null references order_lines (id),
    unit           smallint not null check (unit >= 1),
    generation     integer not null default 1 check (generation >= 1),
    key_hash       bytea not null unique,
    key_ending     text collate "C" not null,
    state          text not null default 'granted' check (state in ('granted', 'suspended', 'revoked')),
    version        bigint not null default 1,
    machines_max   integer not null,
    active_count   integer not null default 0 check (active_count between 0 and machines_max),
    file_days      integer not null,
    file_seq       bigint not null default 0,
    entitlements   text[] not null default '{}',
    issued_at      timestamptz not null,
    expires_at     timestamptz,
    reset_at       timestamptz,
    unique (order_line_id, unit)
) with (fillfactor = 80);

comment on column licenses.file_seq is 'Number of the last licence file: a file with a smaller one is older.';

create index licenses_of_holder on licenses (holder_id, id desc);
create index licenses_of_order on licenses (order_id, id);

create table license_activations (
    license_id        text collate "C" not null references licenses (id),
    fingerprint_hash  bytea not null check (octet_length(fingerprint_hash) = 32),
    name              text not null,
    activated_at      timestamptz not null,
    primary key (license_id, fingerprint_hash)
);

-- One row for each thing that happened to a licence, and who did it. Append-only.
create table license_steps (
    license_id  text collate "C" not null references licenses (id),
    version     bigint not null,
    type        text not null,
    actor_id    text collate "C",
    reason      text not null default '',
    at          timestamptz not null,
    primary key (license_id, version)
);

create function refuse_to_rewrite_license_steps() returns trigger language plpgsql as $$
begin
    raise exception 'license_steps is append-only';
end;
$$;

create trigger license_steps_stay_as_they_are
    before update or delete on license_steps
    for each row execute function refuse_to_rewrite_license_steps();

create trigger license_steps_are_not_emptied
    before truncate on license_steps
    for each statement execute function refuse_to_rewrite_license_steps();
