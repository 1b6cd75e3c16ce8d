-- What a buyer has by each line of an order, one row a kind of benefit.
--
-- Every line gives access to what was bought; what else a product comes with is in product_benefits.
-- A grant follows its order: `order_version` is the newest state of the order that it has followed.

create table product_benefits (
    product_id  text collate "C" not null references products (id),
    benefit     text not null check (benefit in ('license', 'files', 'access')),
    on_refund   text not null default 'revoke' check (on_refund in ('keep', 'revoke', 'prorate')),
    primary key (product_id, benefit)
);

insert into product_benefits (product_id, benefit, on_refund)
select product_id, 'license', 'prorate'
  from license_policies;

create table grants (
    id             text collate "C" primary key,
    order_id       text collate "C" not null references orders (id),
    line_id        text collate "C" not null references order_lines (id),
    product_id     text collate "C" not null references products (id),
    holder_id      text collate "C" not null,
    title          text not null,
    benefit        text not null check (benefit in ('license', 'files', 'access')),
    on_refund      text not null check (on_refund in ('keep', 'revoke', 'prorate')),
    state          text not null check (state in ('pending', 'granted', 'suspended', 'revoked')),
    version        bigint not null default 1,
    units_bought   smallint not null check (units_bought >= 1),
    units          smallint not null check (units between 0 and units_bought),
    is_lost        boolean not null default false,
    order_version  bigint not null,
    attempts       smallint not null default 0,
    next_try_at    timestamptz,
    last_error     text not null default '',
    granted_at     timestamptz,
    unique (line_id, benefit)
) with (fillfactor = 80);

comment on column grants.units is 'How many of the units bought are still the buyer''s; 0 once revoked.';
comment on column grants.is_lost is 'Whether the buyer''s bank took the money back for good.';

create index grants_of_order on grants (order_id, id);
create index grants_of_holder on grants (holder_id, id desc);
create index grants_to_try on grants (next_try_at, order_id)
    where state = 'pending' and next_try_at is not null;

-- One row for each thing that happened to a grant. Append-only.
create table grant_steps (
    grant_id    text collate "C" not null references grants (id),
    version     bigint not null,
    from_state  text not null,
    to_state    text not null,
    units       smallint not null,
    at          timestamptz not null,
    primary key (grant_id, version)
);

create function refuse_to_rewrite_grant_steps() returns trigger language plpgsql as $$
begin
    raise exception 'grant_steps is append-only';
end;
$$;

create trigger grant_steps_stay_as_they_are
    before update or delete on grant_steps
    for each row execute function refuse_to_rewrite_grant_steps();

create trigger grant_steps_are_not_emptied
    before truncate on grant_steps
    for each statement execute function refuse_to_rewrite_grant_steps();

-- What was handed over before there were grants. A grant of access has the id of its line.
insert into grants (id, order_id, line_id, product_id, holder_id, title, benefit, on_refund, state,
                    units_bought, units, order_version, granted_at)
select 'grn_' || substr(line.id, 5), bought.id, line.id, line.product_id, bought.buyer_id,
       line.title, 'access', 'revoke', 'granted', line.quantity, line.quantity, bought.version,
       bought.placed_at
  from orders bought
  join order_lines line
    on line.order_id = bought.id
 where bought.state = 'fulfilled';

insert into grants (id, order_id, line_id, product_id, holder_id, title, benefit, on_refund, state,
                    units_bought, units, order_version, granted_at)
select 'grn_' || substr(min(held.id), 5), held.order_id, held.order_line_id, held.product_id,
       held.holder_id, min(held.title), 'license', 'prorate', 'granted', count(*), count(*),
       bought.version, min(held.issued_at)
  from licenses held
  join orders bought
    on bought.id = held.order_id
 group by held.order_id, held.order_line_id, held.product_id, held.holder_id, bought.version;
