"""The seller's side: what the shop's staff sees of everything, and does about it.

Owns no table; every action is written to the audit (`foundation/audit.py`) in the transaction that
does it. Prices, discounts and tax rates are changed at the doors of their own features, which
write to the same audit.
"""
