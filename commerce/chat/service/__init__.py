"""What the rest of commerce may ask of chat."""

from commerce.chat.service.membership import invite, join, leave, remove
from commerce.chat.service.opening import (
    import_members,
    import_messages,
    import_rooms,
    open_direct,
    open_group,
    open_product_room,
)
from commerce.chat.service.projection import access
from commerce.chat.service.reading import history, members_of, rooms_of, view
from commerce.chat.service.speaking import delete, edit, mark_read, send

__all__ = [
    "access",
    "delete",
    "edit",
    "history",
    "import_members",
    "import_messages",
    "import_rooms",
    "invite",
    "join",
    "leave",
    "mark_read",
    "members_of",
    "open_direct",
    "open_group",
    "open_product_room",
    "remove",
    "rooms_of",
    "send",
    "view",
]
