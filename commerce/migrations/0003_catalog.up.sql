-- What is for sale. A product's `version` grows with each change of title, price or stock: pages
-- keep some room, so that such a change touches no index.

create table categories (
    slug text collate "C" primary key check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
    title text not null check (length(title) between 1 and 100),
    summary text not null default '' check (length(summary) <= 300),
    position smallint not null unique
);

create table products (
    id text collate "C" primary key,
    slug text collate "C" not null unique check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
    category text collate "C" not null references categories (slug),
    title text not null check (length(title) between 1 and 200),
    summary text not null default '' check (length(summary) <= 300),
    description text not null default '' check (length(description) <= 20000),
    cover text,
    version bigint not null default 1 check (version >= 1),
    created_at timestamptz not null,
    published_at timestamptz,
    -- Words as they are written, for the prefix one is typing, and their stems, for whole words.
    search tsvector not null generated always as (
        setweight(to_tsvector('simple', title), 'A')
        || setweight(to_tsvector('english', title), 'A')
        || setweight(to_tsvector('simple', summary), 'C')
        || setweight(to_tsvector('english', summary), 'C')
    ) stored
) with (fillfactor = 80);

create index products_newest on products (id desc) where published_at is not null;
create index products_newest_of_category on products (category, id desc)
    where published_at is not null;
-- Read far more often than written: no list of pending entries that every search would read.
create index products_search on products using gin (search) with (fastupdate = off)
    where published_at is not null;

-- Stock is what is left; none given means that it cannot run out.
create table variants (
    id text collate "C" primary key,
    product_id text collate "C" not null references products (id) on delete cascade,
    position smallint not null check (position >= 1),
    title text not null default '' check (length(title) <= 100),
    price_minor bigint not null check (price_minor between 0 and 1000000000000),
    currency char(3) collate "C" not null check (currency ~ '^[A-Z]{3}$'),
    stock integer check (stock >= 0),
    unique (product_id, position)
) with (fillfactor = 80);
