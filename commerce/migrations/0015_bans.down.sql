alter table users
    drop column banned_at,
    drop column banned_by,
    drop column ban_reason;
