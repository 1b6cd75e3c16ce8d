"""A shop to test in: products made on the spot, and short ways to buy them."""

from commerce.cart import service as carts
from commerce.catalog import service as catalog
from commerce.catalog.model import Category, NewProduct, Variant
from commerce.orders import service as orders
from protocol.ids import ProductId, UserId, VariantId

ADA = UserId("usr_01JD00000000000000000000A1")
BEN = UserId("usr_01JD00000000000000000000B1")


class Shop:
    """Each act is a transaction of its own."""

    def __init__(self, database):
        self.database = database

    async def open(self):
        async with self.database.transaction() as tx:
            await catalog.import_categories(
                tx,
                [
                    Category(slug="fonts", title="Fonts", summary="Letters.", position=1),
                    Category(slug="sounds", title="Sounds", summary="Noises.", position=2),
                ],
            )

    async def add(self, title="Halden Grotesk", **facts):
        """Put a product on the shelf and return its first variant's id."""
        async with self.database.transaction() as tx:
            product = a_product(tx, title, **facts)
            await catalog.import_products(tx, [product])
        return product.variants[0].id

    async def offer(self, variant):
        async with self.database.transaction() as tx:
            return (await catalog.offers(tx, [variant]))[variant]

    async def stock(self, variant):
        return (await self.offer(variant)).stock

    async def put(self, variant, quantity=1, *, user=ADA, version=None):
        async with self.database.transaction() as tx:
            return await carts.set_line(tx, user, variant, quantity=quantity, version=version)

    async def cart(self, user=ADA):
        async with self.database.transaction() as tx:
            return await carts.read(tx, user)

    async def place(self, cart_version, *, user=ADA):
        async with self.database.transaction() as tx:
            return await orders.place(tx, user, cart_version=cart_version)

    async def buy(self, variant, quantity=1, *, user=ADA):
        cart = await self.put(variant, quantity, user=user)
        return await self.place(cart.version, user=user)

    async def cancel(self, order, *, user=ADA):
        async with self.database.transaction() as tx:
            return await orders.cancel(tx, user, order)

    async def history(self, order, *, user=ADA):
        async with self.database.transaction() as tx:
            return await orders.history(tx, user, order)


def a_product(
    tx,
    title,
    *,
    category="fonts",
    summary="",
    price=1900,
    stock=None,
    published=True,
    currency="EUR",
    variants=("",),
):
    product = ProductId(tx.mint("prd"))
    return NewProduct(
        id=product,
        slug=title.lower().replace(" ", "-"),
        category=category,
        title=title,
        summary=summary,
        description="Drawn after border signs.",
        cover="covers/00000000000000000000000000000000.svg",
        created_at=tx.now,
        published_at=tx.now if published else None,
        variants=tuple(
            Variant(
                id=VariantId(tx.mint("var")),
                product_id=product,
                position=position,
                title=variant,
                price_minor=price * position,
                currency=currency,
                stock=stock,
            )
            for position, variant in enumerate(variants, start=1)
        ),
    )
