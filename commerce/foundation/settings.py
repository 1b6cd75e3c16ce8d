"""The foundation's knobs, each with its unit."""

from typing import Annotated, Final

import msgspec

from shared.environment import variable

DEV_ORIGINS: Final = ("http://localhost:8300", "http://127.0.0.1:8300")

PositiveInt = Annotated[int, msgspec.Meta(ge=1)]
Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]


class DatabaseSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where Postgres is, and how much of it one process may use."""

    url: Annotated[
        str,
        msgspec.Meta(pattern=r"^postgres(ql)?://"),
        variable(
            "RIALTO_DATABASE_URL",
            "Where Postgres is: postgresql://user:password@host:port/name.",
            secret=True,
            required_in_prod=True,
        ),
    ] = "postgresql://postgres@127.0.0.1:8332/rialto"
    pool_size_max: Annotated[
        int,
        msgspec.Meta(ge=2, le=500),
        variable("RIALTO_DATABASE_POOL_SIZE_MAX", "Connections one process keeps at most."),
    ] = 10
    acquire_timeout_ms: Annotated[
        int,
        msgspec.Meta(ge=1, le=60_000),
        variable(
            "RIALTO_DATABASE_ACQUIRE_TIMEOUT_MS",
            "Milliseconds a request waits for a free connection before it is refused.",
        ),
    ] = 2_000
    statement_timeout_ms: Annotated[
        int,
        msgspec.Meta(ge=1, le=600_000),
        variable(
            "RIALTO_DATABASE_STATEMENT_TIMEOUT_MS",
            "Milliseconds one statement may run before Postgres ends it.",
        ),
    ] = 10_000
    idle_transaction_timeout_ms: Annotated[
        int,
        msgspec.Meta(ge=100, le=600_000),
        variable(
            "RIALTO_DATABASE_IDLE_TRANSACTION_TIMEOUT_MS",
            "Milliseconds a transaction may sit idle before Postgres ends it.",
        ),
    ] = 15_000


class RedisSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where Redis is."""

    url: Annotated[
        str,
        msgspec.Meta(pattern=r"^(redis|rediss|unix|rediss?\+cluster)://"),
        variable(
            "RIALTO_REDIS_URL",
            "Where Redis or Valkey is: redis://host:port/number, or redis+cluster://host:port,host:port.",
            secret=True,
            required_in_prod=True,
        ),
    ] = "redis://127.0.0.1:8379/0"
    connections_max: Annotated[
        int,
        msgspec.Meta(ge=2, le=500),
        variable("RIALTO_REDIS_CONNECTIONS_MAX", "Connections one commerce process keeps at most."),
    ] = 16


class StripeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The account the shop is paid on; without a key it takes no payments."""

    api_key: Annotated[
        str,
        msgspec.Meta(pattern=r"^(|[sr]k_(test|live)_.+)$"),
        variable(
            "STRIPE_API_KEY", "The key of the Stripe account.", secret=True, required_in_prod=True
        ),
    ] = ""
    publishable_key: Annotated[
        str,
        msgspec.Meta(pattern=r"^(|pk_(test|live)_.+)$"),
        variable(
            "STRIPE_PUBLISHABLE_KEY",
            "The account's publishable key, for Stripe.js in browsers; not for the stand-in.",
        ),
    ] = ""
    url: Annotated[
        str,
        msgspec.Meta(pattern=r"^(|https?://[^\s/]+)$"),
        variable("RIALTO_STRIPE_URL", "Where Stripe's API is, if it is not Stripe's own."),
    ] = ""
    webhook_secrets: Annotated[
        tuple[str, ...],
        msgspec.Meta(max_length=8),
        variable(
            "RIALTO_STRIPE_WEBHOOK_SECRETS",
            "What webhooks are signed with, by commas; several while one is rotated. None closes"
            " their address.",
            secret=True,
            required_in_prod=True,
        ),
    ] = ()
    timeout_ms: Annotated[
        int,
        msgspec.Meta(ge=100, le=80_000),
        variable("RIALTO_STRIPE_TIMEOUT_MS", "Milliseconds to wait for one of Stripe's answers."),
    ] = 10_000

    @property
    def is_live(self) -> bool:
        """Whether real money moves."""
        return "_live_" in self.api_key

    @property
    def standin_url(self) -> str | None:
        """Where buyers pay at the stand-in; None where Stripe.js is used."""
        return self.url if self.url and not self.publishable_key else None
