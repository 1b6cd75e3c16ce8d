-- Who may sign in. Sign-ins themselves live in Redis.
create table users (
    id            text collate "C" primary key,
    email         text collate "C" not null unique,
    name          text not null,
    password_hash text,
    roles         text[] not null default '{}',
    demo_number   smallint unique,
    created_at    timestamptz not null
);
