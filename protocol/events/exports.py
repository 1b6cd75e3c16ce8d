"""Facts about exports, told on the topic of who asked for them."""

from protocol.events.event import Event
from protocol.views import Export


class ExportChanged(Event, frozen=True, kw_only=True, tag="export_changed"):
    """An export has come further, or is done."""

    export: Export
