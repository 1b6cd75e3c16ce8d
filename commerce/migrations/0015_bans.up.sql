-- Who may not come in any more, since when, by whom and why.
alter table users
    add column banned_at timestamptz,
    add column banned_by text collate "C" references users (id),
    add column ban_reason text,
    add check ((banned_at is null) = (banned_by is null)),
    add check ((banned_at is null) = (ban_reason is null));
