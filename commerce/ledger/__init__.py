"""The books, in double entry: what was sold, given back, owed in tax and kept in fees.

Owns the tables `ledger_postings` and `ledger_entries`, which are only ever added to. Every report
of money reads them, and nothing else.
"""
