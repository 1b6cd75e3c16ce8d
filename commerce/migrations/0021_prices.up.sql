-- What a variant costs in each currency it is sold in. A price never changes: another one takes its
-- place, and orders go on naming the one they were placed at. A variant's own `price_minor` and
-- `currency` say what it costs where no currency is asked for; the price of that currency agrees.

create table prices (
    id text collate "C" primary key,
    variant_id text collate "C" not null references variants (id) on delete cascade,
    currency char(3) collate "C" not null check (currency ~ '^[A-Z]{3}$'),
    amount_minor bigint not null check (amount_minor between 0 and 1000000000000),
    version integer not null check (version >= 1),
    active boolean not null default true,
    created_at timestamptz not null,
    unique (variant_id, currency, version)
) with (fillfactor = 90);

create unique index prices_active on prices (variant_id, currency) where active;

-- The first price of a variant has the variant's own ULID.
insert into prices (id, variant_id, currency, amount_minor, version, created_at)
select 'prc_' || substr(variant.id, 5), variant.id, variant.currency, variant.price_minor, 1,
       product.created_at
  from variants variant
  join products product on product.id = variant.product_id;

create function refuse_to_rewrite_prices() returns trigger language plpgsql as $$
begin
    if old.active and not new.active
       and (old.id, old.variant_id, old.currency, old.amount_minor, old.version, old.created_at)
         = (new.id, new.variant_id, new.currency, new.amount_minor, new.version, new.created_at)
    then
        return new;
    end if;
    raise exception 'a price never changes, it is only withdrawn';
end;
$$;

create trigger prices_stay_as_they_are
    before update on prices
    for each row execute function refuse_to_rewrite_prices();

-- Which rate of tax it has; the tables of taxes say what that is in each country.
alter table products
    add column tax_class text collate "C" not null default 'digital'
        check (tax_class ~ '^[a-z][a-z0-9_]{0,31}$');
