"""What can go wrong in the gateway as a whole, on purpose."""

from shared.errors import ExpectedError


class PortTakenError(ExpectedError):
    """Another program listens on the gateway's port."""

    code = "port_taken"
    http_status = 503
