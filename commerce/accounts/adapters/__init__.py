"""The outside systems of accounts."""
