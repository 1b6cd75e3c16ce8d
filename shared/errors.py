"""The root of every error we raise on purpose."""

from collections.abc import Mapping
from typing import ClassVar


class ExpectedError(Exception):
    """An expected failure, with a code a client may rely on.

    Subclasses fix `code` (snake case, unique in the product), `http_status` and, where trying
    again later can help, `temporary`; instances carry one sentence that says what is allowed, and
    where it is known, after how many milliseconds asking again can help. `members` are what else a
    client is told over HTTP, beside the members every problem has.
    """

    code: ClassVar[str]
    http_status: ClassVar[int]
    temporary: ClassVar[bool] = False
    retry_after_ms: int | None = None
    members: Mapping[str, object] = {}
