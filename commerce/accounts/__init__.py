"""Accounts: who you are.

Owns the table `users`, and the sign-ins in Redis (`session:*`, `user-sessions:*`, and the
ended ones in `topic:{user:…}:ended`). Tells users of `SessionRevoked` on their own topic.
"""
