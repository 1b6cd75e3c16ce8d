-- Chat, complete: support rooms, mutes and bans, slow mode, reactions, parts, reports.

alter table rooms
    drop constraint rooms_kind_check,
    add constraint rooms_kind_check check (kind in ('product', 'group', 'direct', 'support')),
    add column order_id text collate "C" unique,
    add column slow_mode_seconds integer not null default 0
        check (slow_mode_seconds between 0 and 3600),
    add constraint rooms_order_check check ((kind = 'support') = (order_id is not null));

comment on column rooms.slow_mode_seconds is 'What a plain member waits between messages.';

-- On the member's own row, which sending updates anyway: so they are checked without a race.
alter table room_members
    add column muted_until timestamptz,
    add column last_sent_at timestamptz;

create index room_members_by_name on room_members (room_id, lower(user_name));

-- What stays of somebody who is not in the room: nobody escapes a rule by leaving and coming back.
create table room_standings (
    room_id       text collate "C" not null references rooms (id) on delete cascade,
    user_id       text collate "C" not null,
    user_name     text,
    banned_at     timestamptz,
    banned_by     text collate "C",
    reason        text,
    muted_until   timestamptz,
    last_sent_at  timestamptz,
    primary key (room_id, user_id)
);

create index room_standings_banned on room_standings (room_id, user_id) where banned_at is not null;

alter table messages
    add column parts text[],
    add column attachments text[],
    add column mentions jsonb,
    add column reactions jsonb,
    add column reactions_version integer not null default 0;

comment on column messages.mentions is 'The people named: id and name.';
comment on column messages.reactions is 'Each emoji with its count, in the order they first came.';

create table message_reactions (
    message_id  text collate "C" not null references messages (id) on delete cascade,
    user_id     text collate "C" not null,
    emoji       text not null,
    created_at  timestamptz not null,
    primary key (message_id, user_id, emoji)
);

create table message_reports (
    id           text collate "C" primary key,
    room_id      text collate "C" not null references rooms (id) on delete cascade,
    message_id   text collate "C" not null,
    reporter_id  text collate "C" not null,
    reason       text not null,
    author_id    text collate "C" not null,
    body         text not null,
    created_at   timestamptz not null,
    settled_at   timestamptz,
    settled_by   text collate "C",
    unique (message_id, reporter_id)
);

comment on column message_reports.body is 'The message as it was when it was reported.';

create index message_reports_open on message_reports (id) where settled_at is null;
create index message_reports_open_of_room on message_reports (room_id, id)
    where settled_at is null;

create index users_staff on users (id) where 'staff' = any (roles);
