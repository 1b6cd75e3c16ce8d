"""What the rest of commerce may ask of the catalogue."""

from commerce.catalog.service.browsing import (
    browse,
    card,
    categories,
    offers,
    prices,
    show,
    shown,
    states,
)
from commerce.catalog.service.changing import change, change_price, change_stock, change_title
from commerce.catalog.service.importing import (
    import_categories,
    import_prices,
    import_products,
    read_file,
    store_cover,
)
from commerce.catalog.service.reserving import (
    consume,
    extend,
    put_back,
    release,
    reserve,
)
from commerce.catalog.service.truths import INVARIANTS

__all__ = [
    "INVARIANTS",
    "browse",
    "card",
    "categories",
    "change",
    "change_price",
    "change_stock",
    "change_title",
    "consume",
    "extend",
    "import_categories",
    "import_prices",
    "import_products",
    "offers",
    "prices",
    "put_back",
    "read_file",
    "release",
    "reserve",
    "show",
    "shown",
    "states",
    "store_cover",
]
