drop index idempotency_keys_leased;

alter table idempotency_keys
    drop column attempts,
    drop column resume_at,
    drop column recovery_subject,
    drop column recovery_point,
    drop column request;
