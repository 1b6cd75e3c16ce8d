"""Chat, over HTTP: rooms, what was said, and keeping them in order. Sending is a socket command."""

from commerce.chat.endpoints import moderation, rooms
from commerce.chat.endpoints.door import door

__all__ = ["door", "moderation", "rooms"]
