drop table audit_entries;
drop function refuse_to_rewrite_audit_entries;
