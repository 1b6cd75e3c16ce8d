"""Whose word is held beside the ledger."""
