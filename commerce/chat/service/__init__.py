"""What the rest of commerce may ask of chat."""

from commerce.chat.service.membership import invite, join, leave, remove
from commerce.chat.service.moderating import (
    ban,
    banned,
    change_role,
    lift_ban,
    mute,
    set_slow_mode,
)
from commerce.chat.service.opening import (
    import_members,
    import_messages,
    import_rooms,
    open_direct,
    open_group,
    open_product_room,
    open_support,
)
from commerce.chat.service.projection import access
from commerce.chat.service.reacting import react
from commerce.chat.service.reading import history, members_of, rooms_of, search, view
from commerce.chat.service.reporting import all_reports, report, reports_of, settle_report
from commerce.chat.service.sending import send, send_all
from commerce.chat.service.speaking import delete, edit, mark_read

__all__ = [
    "access",
    "all_reports",
    "ban",
    "banned",
    "change_role",
    "delete",
    "edit",
    "history",
    "import_members",
    "import_messages",
    "import_rooms",
    "invite",
    "join",
    "leave",
    "lift_ban",
    "mark_read",
    "members_of",
    "mute",
    "open_direct",
    "open_group",
    "open_product_room",
    "open_support",
    "react",
    "remove",
    "report",
    "reports_of",
    "rooms_of",
    "search",
    "send",
    "send_all",
    "set_slow_mode",
    "settle_report",
    "view",
]
