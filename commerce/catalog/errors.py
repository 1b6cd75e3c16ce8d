"""What can go wrong in the catalogue, on purpose."""

from protocol.ids import ProductId, VariantId
from shared.errors import ExpectedError


class ProductNotFoundError(ExpectedError):
    """No such product is published."""

    code = "product_not_found"
    http_status = 404

    def __init__(self, slug: str) -> None:
        super().__init__(f"There is no product {slug!r} in the shop.")


class NoSuchProductError(ExpectedError):
    """No product has this id."""

    code = "product_not_found"
    http_status = 404

    def __init__(self, product: ProductId) -> None:
        super().__init__(f"There is no product {product}.")


class ProductChangedMeanwhileError(ExpectedError):
    """The product is not at the version that was to be changed."""

    code = "product_changed"
    http_status = 409

    def __init__(self, *, version: int) -> None:
        super().__init__(f"The product was changed meanwhile; it is at version {version} now.")


class CategoryNotFoundError(ExpectedError):
    """No such category."""

    code = "category_not_found"
    http_status = 404

    def __init__(self, slug: str) -> None:
        super().__init__(f"There is no category {slug!r} in the shop.")


class VariantNotFoundError(ExpectedError):
    """No such variant."""

    code = "variant_not_found"
    http_status = 404

    def __init__(self, variant: VariantId) -> None:
        super().__init__(f"There is no variant {variant}.")


class BasePriceNeededError(ExpectedError):
    """A variant keeps the price that is asked where no currency is."""

    code = "base_price_needed"
    http_status = 409

    def __init__(self, variant: VariantId, *, currency: str) -> None:
        super().__init__(
            f"{currency} is what {variant} is sold in where nothing else is asked for: "
            "give it another price first."
        )


class OutOfStockError(ExpectedError):
    """More was asked for than is left."""

    code = "out_of_stock"
    http_status = 409

    def __init__(self, title: str, *, left: int) -> None:
        super().__init__(
            f"Only {left} of {title} are left." if left else f"{title} is sold out.",
        )


class FileMissingError(ExpectedError):
    """No such file is served."""

    code = "file_not_found"
    http_status = 404

    def __init__(self) -> None:
        super().__init__("There is no such file.")
