"""What can go wrong with an account, on purpose."""

from commerce.foundation.errors import RetryLaterError
from protocol.ids import UserId
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


class AccountBannedError(ExpectedError):
    """The shop's staff has banned this account."""

    code = "account_banned"
    http_status = 403

    def __init__(self) -> None:
        super().__init__("This account was banned; write to the shop if that is a mistake.")


class UserNotFoundError(ExpectedError):
    """There is no such user."""

    code = "user_not_found"
    http_status = 404

    def __init__(self, user: UserId) -> None:
        super().__init__(f"There is no user {user}.")


class StaffNotBannableError(ExpectedError):
    """Somebody who works here cannot be banned."""

    code = "staff_not_bannable"
    http_status = 409

    def __init__(self) -> None:
        super().__init__("This user is staff; take that role away first.")


class PasswordsBusyError(RetryLaterError):
    """So many passwords wait to be checked that one more would wait too long."""

    code = "busy"
    http_status = 503

    def __init__(self) -> None:
        super().__init__("Too many people are signing in at once; try again in a moment.")
