-- What the shop's staff did, to what, and what it was before and after. Append-only.

create table audit_entries (
    id        text collate "C" primary key,
    at        timestamptz not null,
    actor_id  text collate "C" not null,
    action    text collate "C" not null,
    subject   text collate "C" not null,
    reason    text not null default '',
    before    jsonb,
    after     jsonb
);

create index audit_entries_of_subject on audit_entries (subject, id desc);
create index audit_entries_of_actor on audit_entries (actor_id, id desc);

create function refuse_to_rewrite_audit_entries() returns trigger language plpgsql as $$
begin
    raise exception 'audit_entries is append-only';
end;
$$;

create trigger audit_entries_stay_as_they_are
    before update or delete on audit_entries
    for each row execute function refuse_to_rewrite_audit_entries();

create trigger audit_entries_are_not_emptied
    before truncate on audit_entries
    for each statement execute function refuse_to_rewrite_audit_entries();
