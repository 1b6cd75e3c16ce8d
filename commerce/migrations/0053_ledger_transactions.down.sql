drop table ledger_reconciliations, ledger_transactions;
