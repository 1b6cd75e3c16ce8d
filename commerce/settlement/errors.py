"""What can go wrong with what Stripe tells, on purpose."""

from shared.errors import ExpectedError


class BadSignatureError(ExpectedError):
    """A webhook that is not signed as Stripe's are, or too long ago, or in the future."""

    code = "bad_signature"
    http_status = 400

    def __init__(self) -> None:
        super().__init__("This is not signed with a secret of ours, or not at this time.")


class NotOurEventError(ExpectedError):
    """A webhook whose body is no event of this account."""

    code = "not_our_event"
    http_status = 400

    def __init__(self, why: str) -> None:
        super().__init__(f"This is no event for this shop: {why}.")
