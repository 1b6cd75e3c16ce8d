"""What can go wrong in the catalogue, on purpose."""

from protocol.ids import VariantId
from shared.errors import ExpectedError


class ProductNotFoundError(ExpectedError):
    """No such product is published."""

    code = "product_not_found"
    http_status = 404

    def __init__(self, slug: str) -> None:
        super().__init__(f"There is no product {slug!r} in the shop.")


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
