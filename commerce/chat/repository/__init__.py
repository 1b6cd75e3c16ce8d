"""Every line of SQL about chat.

Whoever changes a room holds its row first (`rooms.lock`, `messages.insert`), then rows of its
members; never the other way round, so that no two wait for one another.
"""
