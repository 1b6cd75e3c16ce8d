"""What the rest of commerce may ask of exports."""

from commerce.exports.service.asking import ask, cancel, find, forget_old, is_due, newest
from commerce.exports.service.writing import write_next

__all__ = ["ask", "cancel", "find", "forget_old", "is_due", "newest", "write_next"]
