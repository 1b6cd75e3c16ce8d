-- Notifications: what users were told, numbered per user without gaps.
--
-- The inbox row is locked by whatever adds to, reads or prunes one user's notifications. Only the
-- oldest are ever pruned, so `last_seq - read_seq` is the number of unread ones.

create table notification_inboxes (
    user_id     text collate "C" primary key,
    last_seq    bigint not null default 0,
    read_seq    bigint not null default 0,
    pruned_seq  bigint not null default 0,
    check (pruned_seq <= read_seq),
    check (read_seq <= last_seq)
) with (fillfactor = 70);

comment on column notification_inboxes.pruned_seq is 'Everything up to and with it was deleted.';

create table notifications (
    id           text collate "C" not null unique,
    user_id      text collate "C" not null
                 references notification_inboxes (user_id) on delete cascade,
    seq          bigint not null check (seq > 0),
    category     text not null,
    title        text not null,
    body         text not null default '',
    link         text,
    sender_key   text collate "C",
    created_at   timestamptz not null,
    primary key (user_id, seq)
);

comment on column notifications.sender_key is 'The sender''s idempotency key: once a user.';

create unique index notifications_once on notifications (user_id, sender_key)
    where sender_key is not null;
create index notifications_by_age on notifications (created_at);
