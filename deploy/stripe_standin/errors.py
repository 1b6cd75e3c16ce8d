"""Errors as Stripe answers them.

StripeError
├─ InvalidRequestError     400: the request makes no sense; nothing was done
├─ MissingError            404: no such object
├─ UnauthorizedError       401: no or a wrong key
├─ CardDeclinedError       402: the attempt was made and is recorded; it failed
└─ IdempotencyError        400 or 409: the key is in use, or was used for something else
"""

from typing import Any, ClassVar

from typing_extensions import override


class StripeError(Exception):
    """An answer with a status that is not 2xx."""

    status: ClassVar[int] = 400
    kind: ClassVar[str] = "invalid_request_error"

    def __init__(self, message: str, *, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.param = param

    def body(self) -> dict[str, Any]:
        """Return the body of the answer."""
        return {"error": {name: value for name, value in self.fields().items() if value}}

    def fields(self) -> dict[str, Any]:
        """Return the fields of the error; empty ones are not shown."""
        return {
            "type": self.kind,
            "code": self.code,
            "message": self.message,
            "param": self.param,
        }


class InvalidRequestError(StripeError):
    """The request is malformed, or not possible in the state the object is in."""

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        objects: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message, code=code, param=param)
        self.objects = objects or {}

    @override
    def fields(self) -> dict[str, Any]:
        """Return the fields, with the objects the error is about."""
        return {**super().fields(), **self.objects}


class MalformedError(InvalidRequestError):
    """The parameters themselves are wrong: the request never began, and no key remembers it."""


class MissingError(InvalidRequestError):
    """There is no such object."""

    status = 404

    def __init__(self, kind: str, identity: str, *, param: str | None = None) -> None:
        super().__init__(f"No such {kind}: '{identity}'", code="resource_missing", param=param)


class UnknownUrlError(StripeError):
    """There is no such address."""

    status = 404


class UnauthorizedError(StripeError):
    """The key is missing or is not ours."""

    status = 401


class CardDeclinedError(StripeError):
    """A card was asked for money, or to be kept, and refused. What was recorded stays."""

    status = 402
    kind = "card_error"

    def __init__(
        self, message: str, *, code: str, decline_code: str | None, objects: dict[str, Any]
    ) -> None:
        super().__init__(message, code=code)
        self.decline_code = decline_code
        self.objects = objects

    @override
    def fields(self) -> dict[str, Any]:
        """Return the fields, with the intent as the attempt left it."""
        return {**super().fields(), "decline_code": self.decline_code, **self.objects}


class UndoneDeclineError(StripeError):
    """A card refused, and the caller wanted all or nothing."""

    status = 402
    kind = "card_error"

    def __init__(self, declined: CardDeclinedError) -> None:
        super().__init__(declined.message, code=declined.code)
        self.decline_code = declined.decline_code

    @override
    def fields(self) -> dict[str, Any]:
        """Return the fields, without what was undone."""
        return {**super().fields(), "decline_code": self.decline_code}


class IdempotencyMismatchError(StripeError):
    """The key was first used with other parameters, or at another address."""

    kind = "idempotency_error"


class KeyInUseError(StripeError):
    """A request with this key is being carried out."""

    status = 409
    kind = "idempotency_error"


class BrokenError(StripeError):
    """A failure on Stripe's side, as the control endpoints ordered it."""

    status = 500
    kind = "api_error"


class TooManyRequestsError(StripeError):
    """The rate limit, as the control endpoints ordered it."""

    status = 429
