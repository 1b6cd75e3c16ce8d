"""Redis, as the gateway uses it: calls, channels, topic logs, commands, the access projection."""
