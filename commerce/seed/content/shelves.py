"""The content files, decoded."""

import re
from importlib.resources import files
from typing import Annotated, Final

import msgspec

_is_slug_sign: Final = re.compile(r"[a-z0-9]+").findall

Text = Annotated[str, msgspec.Meta(min_length=1)]
Thread = tuple[Text, ...]


class Tier(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One way to buy: its name, and its price in percent of the lowest."""

    title: Text
    percent: int


class Listing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One product as somebody wrote it down. `price` is in cents; 0 is free."""

    title: Text
    summary: Text
    story: Text
    inside: Text
    price: int
    stock: int | None = None
    tiers: tuple[Tier, ...] | None = None

    @property
    def slug(self) -> str:
        """The product's name in addresses."""
        return "-".join(_is_slug_sign(self.title.lower().replace("'", "")))


class Shelf(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One category with everything on it. `closing` ends the descriptions, one at a time."""

    slug: Text
    title: Text
    summary: Text
    closing: tuple[Text, ...]
    tiers: tuple[Tier, ...]
    products: tuple[Listing, ...]

    def describe(self, place: int) -> str:
        """Return the long text of the product at `place`."""
        listing = self.products[place]
        closings = len(self.closing)
        return "\n\n".join(
            (
                listing.story,
                f"Inside: {listing.inside}",
                self.closing[place % closings],
                self.closing[(place + 1) % closings],
            )
        )

    def tiers_of(self, listing: Listing) -> tuple[Tier, ...]:
        """Return the ways to buy a product; there is one, without a name, to take a free one."""
        if listing.price == 0:
            return (Tier(title="", percent=100),)
        return listing.tiers or self.tiers


class GroupTalks(msgspec.Struct, frozen=True, kw_only=True):
    """A group, and what is said in it."""

    title: Text
    threads: tuple[Thread, ...]


class Talks(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that people say to one another."""

    about_anything: tuple[Thread, ...]
    about: dict[str, tuple[Thread, ...]]
    groups: tuple[GroupTalks, ...]
    between_two: tuple[Thread, ...]


class _People(msgspec.Struct, frozen=True, kw_only=True):
    names: tuple[Text, ...]


SHELVES: Final = (
    "fonts",
    "icons",
    "sounds",
    "books",
    "courses",
    "game-assets",
    "presets",
    "tools",
)
"""The categories, in the order of the shop."""


def read_shelves() -> tuple[Shelf, ...]:
    """Return every category with its products."""
    return tuple(
        msgspec.toml.decode(_read(f"products/{name}.toml"), type=Shelf) for name in SHELVES
    )


def read_names() -> tuple[str, ...]:
    """Return the names of the demo users, in their order."""
    return msgspec.toml.decode(_read("people.toml"), type=_People).names


def read_talks() -> Talks:
    """Return what people say."""
    return msgspec.toml.decode(_read("talks.toml"), type=Talks)


def _read(name: str) -> bytes:
    return files(__package__).joinpath(name).read_bytes()
