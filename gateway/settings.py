"""What the gateway reads from its environment."""

from collections.abc import Iterator
from typing import Annotated, Final, Literal

import msgspec

from gateway.limits import CONNECTIONS_MAX, HANDSHAKES_PER_ADDRESS_PER_SECOND
from gateway.networks import MalformedNetworkError, parse_networks
from gateway.streams.address import MalformedAddressError, parse_streams_address
from shared.environment import Profile, variable
from shared.tickets import DEV_VERIFYING_KEY, MalformedKeyError, TicketVerifier

OPERATOR_TOKEN_CHARACTERS_MIN: Final = 32

Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]


class ListenerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where clients connect, and which."""

    host: Annotated[
        str, variable("RIALTO_GATEWAY_HOST", "Address on which the gateway takes sockets.")
    ] = "127.0.0.1"
    port: Annotated[
        Port, variable("RIALTO_GATEWAY_PORT", "Port on which the gateway takes sockets; 0 is any.")
    ] = 8301
    allowed_origins: Annotated[
        tuple[str, ...],
        variable(
            "RIALTO_ALLOWED_ORIGINS", "Web origins that may open sockets, with commas between."
        ),
    ] = ("http://localhost:8300", "http://127.0.0.1:8300")
    connections_max: Annotated[
        int,
        msgspec.Meta(ge=1),
        variable("RIALTO_GATEWAY_CONNECTIONS_MAX", "Sockets one gateway worker takes."),
    ] = CONNECTIONS_MAX

    trusted_proxies: Annotated[
        tuple[str, ...],
        variable(
            "RIALTO_GATEWAY_TRUSTED_PROXIES",
            "Networks of the proxies whose X-Forwarded-For is believed, with commas between.",
        ),
    ] = ()
    handshakes_per_address: Annotated[
        float,
        msgspec.Meta(ge=0),
        variable(
            "RIALTO_GATEWAY_HANDSHAKES_PER_ADDRESS",
            "Sockets one network address may open in a second, on each worker; 0 is any number.",
        ),
    ] = HANDSHAKES_PER_ADDRESS_PER_SECOND

    def problems(self, profile: Profile) -> Iterator[str]:
        """Yield what is wrong with the origins and the networks."""
        try:
            parse_networks(self.trusted_proxies)
        except MalformedNetworkError as error:
            yield f"RIALTO_GATEWAY_TRUSTED_PROXIES is malformed: {error}."
        if profile != "dev" and "*" in self.allowed_origins:
            yield "RIALTO_ALLOWED_ORIGINS may not be `*` outside dev: name the origins."


class OperatorSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the operator looks."""

    host: Annotated[
        str, variable("RIALTO_GATEWAY_OPERATOR_HOST", "Address of the gateway's operator port.")
    ] = "127.0.0.1"
    port: Annotated[
        Port,
        variable("RIALTO_GATEWAY_OPERATOR_PORT", "Port of /livez, /readyz and /metrics; 0 is any."),
    ] = 8310
    token: Annotated[
        str,
        variable(
            "RIALTO_OPERATOR_TOKEN",
            "What an operator shows to list, kick and notify connections; 32 characters or more.",
            secret=True,
            required_in_prod=True,
        ),
    ] = ""

    def problems(self, _profile: Profile) -> Iterator[str]:
        """Yield what is wrong with the token; without one nobody is let in."""
        if self.token and len(self.token) < OPERATOR_TOKEN_CHARACTERS_MIN:
            yield (
                "RIALTO_OPERATOR_TOKEN is too short: it has at least "
                f"{OPERATOR_TOKEN_CHARACTERS_MIN} characters."
            )


class TicketSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Whose tickets open a socket."""

    verifying_keys: Annotated[
        tuple[str, ...],
        variable(
            "RIALTO_TICKET_VERIFYING_KEYS",
            "Public keys of socket tickets, each kid:base64, with commas between.",
            required_in_prod=True,
        ),
    ] = (DEV_VERIFYING_KEY,)

    def problems(self, profile: Profile) -> Iterator[str]:
        """Yield what is wrong with the keys."""
        if not self.verifying_keys:
            yield "RIALTO_TICKET_VERIFYING_KEYS names no key."
        try:
            TicketVerifier(self.verifying_keys)
        except MalformedKeyError as error:
            yield f"RIALTO_TICKET_VERIFYING_KEYS is malformed: {error}."
        if profile != "dev" and DEV_VERIFYING_KEY in self.verifying_keys:
            yield "RIALTO_TICKET_VERIFYING_KEYS holds the key of the dev profile."


class StreamsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where Redis is."""

    redis_url: Annotated[
        str,
        variable(
            "RIALTO_REDIS_URL",
            "Redis 7+ or Valkey 8+, or redis+cluster:// and some nodes of a cluster.",
            secret=True,
            required_in_prod=True,
        ),
    ] = "redis://127.0.0.1:8379/0"

    def problems(self, _profile: Profile) -> Iterator[str]:
        """Yield what is wrong with the address."""
        try:
            parse_streams_address(self.redis_url)
        except MalformedAddressError as error:
            yield f"RIALTO_REDIS_URL is malformed: {error}."


class GatewaySettings(msgspec.Struct, frozen=True, kw_only=True):
    """All of it."""

    profile: Annotated[
        Profile, variable("RIALTO_PROFILE", "Which rules hold: dev, staging or prod.")
    ] = "dev"
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        variable("RIALTO_LOG_LEVEL", "The least important log lines that are written."),
    ] = "info"
    listener: ListenerSettings
    operator: OperatorSettings
    tickets: TicketSettings
    streams: StreamsSettings
