"""The realtime program: sockets, topics, presence. It holds no facts, only what can be rebuilt."""
