-- Chat: rooms, who is in them, what was said and how far each member has read.
--
-- Everything that changes a room (sending, editing, joining, leaving) first locks its row, so that
-- numbers have no gaps and events are recorded in the order they are true. A read mark belongs to
-- its reader and lies in a table of its own: marking as read never waits for a busy room.

create table rooms (
    id           text collate "C" primary key,
    kind         text not null check (kind in ('product', 'group', 'direct')),
    title        text not null,
    product_id   text collate "C" unique,
    direct_pair  text collate "C" unique,
    last_seq     bigint not null default 0 check (last_seq >= 0),
    created_at   timestamptz not null,
    active_at    timestamptz not null,
    check ((kind = 'product') = (product_id is not null)),
    check ((kind = 'direct') = (direct_pair is not null))
) with (fillfactor = 50);

comment on column rooms.direct_pair is 'Both user ids in order, joined by a colon: one room a pair.';
comment on column rooms.active_at is 'When the last message was sent, or the room was made.';

create table room_members (
    room_id     text collate "C" not null references rooms (id) on delete cascade,
    user_id     text collate "C" not null,
    user_name   text not null,
    role        text not null check (role in ('owner', 'moderator', 'member')),
    joined_at   timestamptz not null,
    joined_seq  bigint not null,
    sent_seq    bigint not null default 0,
    primary key (room_id, user_id)
) with (fillfactor = 70);

comment on column room_members.joined_seq is 'The last message before the member came.';
comment on column room_members.sent_seq is 'The member''s own last message: who writes has read.';

create index room_members_by_user on room_members (user_id, room_id);
create index room_members_by_age on room_members (room_id, joined_at, user_id);

create table room_read_marks (
    room_id  text collate "C" not null references rooms (id) on delete cascade,
    user_id  text collate "C" not null,
    seq      bigint not null,
    primary key (room_id, user_id)
) with (fillfactor = 70);

create table messages (
    id           text collate "C" not null,
    room_id      text collate "C" not null references rooms (id) on delete cascade,
    seq          bigint not null check (seq > 0),
    version      integer not null default 1,
    author_id    text collate "C" not null,
    author_name  text not null,
    body         text not null,
    reply_to     text collate "C",
    command_key  text collate "C",
    sent_at      timestamptz not null,
    edited_at    timestamptz,
    deleted_at   timestamptz,
    primary key (room_id, seq),
    unique (id),
    check (octet_length(body) <= 4096)
);
