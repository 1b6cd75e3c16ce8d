-- What is needed to carry a request on when nobody comes back for it: the request itself, how far it
-- came, and when it is next due. Requests whose effect and answer are one transaction need none.

alter table idempotency_keys
    add column request jsonb,
    add column recovery_point text,
    add column recovery_subject text,
    add column resume_at timestamptz,
    add column attempts smallint not null default 0,
    add check ((recovery_point is null) = (resume_at is null)),
    add check (recovery_point is null or request is not null or status is not null);

-- Of requests that are not answered, of which there are never many.
create index idempotency_keys_leased on idempotency_keys (lease_until) where lease_until is not null;
