"""Telling who asked how far an export is."""

from commerce.exports.model import Export, show
from commerce.foundation.database import Transaction
from protocol.events import ExportChanged
from protocol.topics import user_topic


async def tell(tx: Transaction, export: Export) -> None:
    """Tell who asked what became of it."""
    await tx.emit(user_topic(export.asked_by), ExportChanged(export=show(export)))
