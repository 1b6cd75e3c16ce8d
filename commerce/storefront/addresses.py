"""Addresses of pages."""

from urllib.parse import urlencode


def url(path: str, **query: str | None) -> str:
    """Return an address with what is asked for; what is empty is left out."""
    asked = {name: value for name, value in query.items() if value}
    return f"{path}?{urlencode(asked)}" if asked else path
