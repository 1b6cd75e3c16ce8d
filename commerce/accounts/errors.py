"""What can go wrong with an account, on purpose."""

from commerce.foundation.errors import RetryLaterError
from shared.errors import ExpectedError


class EmailTakenError(ExpectedError):
    """Somebody already has an account with this address."""

    code = "email_taken"
    http_status = 409

    def __init__(self) -> None:
        super().__init__("There is already an account with this e-mail address; sign in instead.")


class InvalidCredentialsError(ExpectedError):
    """No such account, or not its password; which of the two is not told."""

    code = "invalid_credentials"
    http_status = 401

    def __init__(self) -> None:
        super().__init__("The e-mail address or the password is not right.")


class PasswordsBusyError(RetryLaterError):
    """So many passwords wait to be checked that one more would wait too long."""

    code = "busy"
    http_status = 503

    def __init__(self) -> None:
        super().__init__("Too many people are signing in at once; try again in a moment.")
