drop table job_runs;
drop sequence idempotency_fences;
drop table idempotency_keys;
drop table inbox;
drop table command_outcomes;
drop sequence outbox_batches;
drop table outbox;
