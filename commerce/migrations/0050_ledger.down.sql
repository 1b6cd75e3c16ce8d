drop table ledger_entries, ledger_postings;
drop function check_ledger_posting();
drop function check_ledger_entries();
drop function refuse_to_rewrite_the_ledger();
