"""What every feature stands on.

Owns the tables `outbox`, `command_outcomes`, `inbox`, `idempotency_keys` and `job_runs`. It knows
no feature: features give it their doors, handlers and jobs, and `commerce.app` and
`commerce.worker` wire them.
"""
