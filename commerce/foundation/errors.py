"""What can go wrong on purpose, whatever the feature."""

from typing import ClassVar

from shared.errors import ExpectedError


class MalformedRequestError(ExpectedError):
    """What came is not what its media type says: not JSON, or no text at all."""

    code = "malformed"
    http_status = 400


class UnauthenticatedError(ExpectedError):
    """Nobody is signed in, or the sign-in has ended."""

    code = "unauthenticated"
    http_status = 401

    def __init__(self) -> None:
        super().__init__("Sign in first.")


class ForbiddenError(ExpectedError):
    """You are known, but this is not yours to do."""

    code = "forbidden"
    http_status = 403


class CrossOriginError(ExpectedError):
    """A page of another site tried to act in the user's name."""

    code = "cross_origin"
    http_status = 403

    def __init__(self) -> None:
        super().__init__("Changes are taken only from our own pages.")


class UnsupportedMediaTypeError(ExpectedError):
    """A body that is not JSON."""

    code = "unsupported_media_type"
    http_status = 415

    def __init__(self) -> None:
        super().__init__("Send the body as application/json.")


class InvalidRequestError(ExpectedError):
    """Well-formed, but not what is asked for."""

    code = "invalid"
    http_status = 422


class KeyReusedError(ExpectedError):
    """The same Idempotency-Key came with another request."""

    code = "key_reused"
    http_status = 422

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used for another request; mint a new one.")


class KeyMissingError(ExpectedError):
    """Money may move here: an Idempotency-Key is needed."""

    code = "key_missing"
    http_status = 400

    def __init__(self) -> None:
        super().__init__(
            "Send an Idempotency-Key: a new random one for each intent, the same for each retry."
        )


class RetryLaterError(ExpectedError):
    """Trying again after `retry_after_seconds` can help."""

    temporary = True
    retry_after_seconds: ClassVar[int] = 1


class RequestInFlightError(RetryLaterError):
    """The first request with this Idempotency-Key is not answered yet."""

    code = "request_in_flight"
    http_status = 409

    def __init__(self) -> None:
        super().__init__("The first request with this Idempotency-Key is still being answered.")


class DatabaseBusyError(RetryLaterError):
    """No connection came free in time."""

    code = "busy"
    http_status = 503

    def __init__(self) -> None:
        super().__init__("The shop is very busy; try again in a moment.")


class DatabaseUnavailableError(RetryLaterError):
    """The database cannot be reached, or went away in the middle."""

    code = "unavailable"
    http_status = 503
    retry_after_seconds = 2

    def __init__(self) -> None:
        super().__init__("The shop cannot reach its data; try again in a moment.")


class StreamsUnavailableError(RetryLaterError):
    """Redis cannot be reached."""

    code = "streams_unavailable"
    http_status = 503
    retry_after_seconds = 2

    def __init__(self) -> None:
        super().__init__("The shop cannot reach its sessions; try again in a moment.")


class UnstorableTextError(InvalidRequestError):
    """A character that Postgres cannot hold (U+0000), or half of a surrogate pair."""

    def __init__(self) -> None:
        super().__init__("The text holds a character that cannot be stored.")


class RateLimitedError(ExpectedError):
    """Too many attempts."""

    code = "rate_limited"
    http_status = 429
    temporary = True

    def __init__(self, *, retry_after_seconds: int) -> None:
        super().__init__(f"Too many attempts; try again in {retry_after_seconds} s.")
        self.retry_after_seconds = retry_after_seconds


class PaymentsClosedError(ExpectedError):
    """The shop has no account to be paid on."""

    code = "payments_closed"
    http_status = 503

    def __init__(self) -> None:
        super().__init__("This shop takes no payments yet: its Stripe account is not set up.")


class StripeRefusedError(ExpectedError):
    """Stripe refused what was asked, and did nothing; the same again is refused again.

    `reason` is Stripe's code; `details` is the object the refusal is about, such as the payment
    intent of a card that was declined.
    """

    code = "stripe_refused"
    http_status = 409

    def __init__(
        self, reason: str, *, status: int | None = None, details: dict[str, object] | None = None
    ) -> None:
        self.reason = reason
        self.status = status
        self.details = details or {}
        super().__init__(f"The payment service refused this: {reason.replace('_', ' ')}.")


class StripeUnheardError(RetryLaterError):
    """Stripe did not answer; whether it did what was asked is not known."""

    code = "stripe_unheard"
    http_status = 503

    def __init__(self) -> None:
        super().__init__("The payment service does not answer. Nothing is lost; ask again soon.")
