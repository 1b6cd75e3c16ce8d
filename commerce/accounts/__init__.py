"""Accounts: who you are.

Owns the table `users`, and the sign-ins in Redis (`session:*`, `user-sessions:*`). Tells users of
`SessionRevoked` on their own topic.
"""
