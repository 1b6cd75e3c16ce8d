"""Grants over HTTP; a grant itself looks as `protocol.views.Grant` says."""

from typing import Annotated

import msgspec

from protocol import views
from protocol.ids import ID_PATTERN, GrantId


class GrantedAfter(msgspec.Struct, frozen=True, array_like=True):
    """Where a list of grants goes on."""

    id: Annotated[GrantId, msgspec.Meta(pattern=ID_PATTERN)]


class OrderGrants(msgspec.Struct, frozen=True, kw_only=True):
    """What a buyer has by an order."""

    items: list[views.Grant]
