"""Bringing goods in, and the files that go with them."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from commerce.catalog.adapters import local_files
from commerce.catalog.errors import FileMissingError
from commerce.catalog.model import Category, NewProduct, Price
from commerce.catalog.repository import prices as price_rows, products as repository
from commerce.foundation.database import Transaction


async def import_categories(tx: Transaction, new: Sequence[Category]) -> None:
    """Write categories without telling anyone, leaving out those that are there."""
    await repository.add_categories(tx, new)


async def import_products(tx: Transaction, new: Sequence[NewProduct]) -> list[NewProduct]:
    """Write many products without telling anyone; return those that were not there by name.

    Two imports at the same time may clash: let one wait for the other.
    """
    known = await repository.known_slugs(tx, [each.slug for each in new])
    missing = [each for each in new if each.slug not in known]
    await repository.copy_products(tx, missing)
    return missing


async def import_prices(tx: Transaction, new: Sequence[Price]) -> None:
    """Write prices in further currencies without telling anyone, leaving out those there are."""
    await price_rows.import_prices(tx, new)


async def read_file(files_dir: Path, path: str) -> bytes:
    """Return the content of a served file.

    Raises:
        FileMissingError: if there is none, or it may not be served.
    """
    content = await asyncio.to_thread(local_files.read, files_dir, path)
    if content is None:
        raise FileMissingError
    return content


def store_cover(files_dir: Path, svg: bytes) -> str:
    """Keep a cover picture and return the path that `products.cover` names."""
    return local_files.store(files_dir, folder="covers", content=svg, suffix="svg")
