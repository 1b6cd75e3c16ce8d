"""How much the shop carries: simulated users, a model that catches lies, and benchmarks.

Imports `protocol` and nothing else of ours, so it proves that the protocol is enough to write a
client. Start reading in `simulated_user.py`; `clients.py` is a reference client to copy from.
"""
