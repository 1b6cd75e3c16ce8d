"""One client each: its socket, its outbox, its first words, its silence."""
