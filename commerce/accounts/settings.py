"""The knobs of accounts, with their units."""

from collections.abc import Iterator
from typing import Annotated

import msgspec

from shared.environment import Profile, variable
from shared.tickets import DEV_SIGNING_KEY, MalformedKeyError, TicketSigner


class AccountSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Sign-in, sessions and tickets."""

    ticket_signing_key: Annotated[
        str,
        variable(
            "RIALTO_TICKET_SIGNING_KEY",
            "The private key that signs socket tickets, as kid:base64 of 32 bytes.",
            secret=True,
            required_in_prod=True,
        ),
    ] = DEV_SIGNING_KEY
    socket_url: Annotated[
        str,
        msgspec.Meta(pattern=r"^wss?://[^\s;,]+$"),
        variable("RIALTO_SOCKET_URL", "The address of the gateway's socket, as browsers see it."),
    ] = "ws://localhost:8301/ws"
    password_memory_kib: Annotated[
        int,
        msgspec.Meta(ge=8, le=1_048_576),
        variable("RIALTO_PASSWORD_MEMORY_KIB", "Memory that hashing one password takes (argon2)."),
    ] = 19_456
    password_rounds: Annotated[
        int,
        msgspec.Meta(ge=1, le=20),
        variable("RIALTO_PASSWORD_ROUNDS", "Passes over that memory (argon2)."),
    ] = 2
    attempts_per_minute: Annotated[
        int,
        msgspec.Meta(ge=1, le=1_000_000),
        variable(
            "RIALTO_SIGN_IN_ATTEMPTS_PER_MINUTE",
            "Sign-ins and registrations one network address may try in a minute.",
        ),
    ] = 60

    def problems(self, profile: Profile) -> Iterator[str]:
        """Yield a sentence for each rule that `profile` finds broken."""
        try:
            TicketSigner(self.ticket_signing_key)
        except MalformedKeyError as error:
            yield f"RIALTO_TICKET_SIGNING_KEY is malformed: {error}."
        if profile != "dev" and self.ticket_signing_key == DEV_SIGNING_KEY:
            yield "RIALTO_TICKET_SIGNING_KEY is the dev key, which only the dev profile takes."
