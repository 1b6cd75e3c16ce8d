"""Everything commerce can be told by its environment, composed of each part's own settings."""

from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec

from commerce.accounts.settings import AccountSettings
from commerce.catalog.settings import CatalogSettings
from commerce.foundation.settings import (
    DEV_ORIGINS,
    DatabaseSettings,
    Port,
    RedisSettings,
    StripeSettings,
)
from commerce.invoices.settings import SellerSettings
from commerce.licenses.settings import LicenseSettings
from commerce.refunds.settings import RefundSettings
from shared.environment import PROFILE_VARIABLE, Profile, variable

LogLevel = Literal["debug", "info", "warning", "error"]


class WebSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the shop listens and how browsers see it."""

    host: Annotated[str, variable("RIALTO_WEB_HOST", "The address the shop listens on.")] = (
        "127.0.0.1"
    )
    port: Annotated[Port, variable("RIALTO_WEB_PORT", "The port the shop listens on.")] = 8300
    operator_port: Annotated[
        Port,
        variable("RIALTO_WEB_OPERATOR_PORT", "The port of the shop's health and metrics; 0: any."),
    ] = 8320
    public_url: Annotated[
        str,
        msgspec.Meta(pattern=r"^https?://[^\s/]+$"),
        variable("RIALTO_PUBLIC_URL", "The shop's own address, as browsers see it."),
    ] = "http://localhost:8300"
    allowed_origins: Annotated[
        tuple[str, ...],
        variable("RIALTO_ALLOWED_ORIGINS", "Origins whose pages may act for a user, by commas."),
    ] = DEV_ORIGINS
    cookie_secure: Annotated[
        bool,
        variable("RIALTO_COOKIE_SECURE", "Whether the session cookie travels over TLS only."),
    ] = False

    def problems(self, profile: Profile) -> Iterator[str]:
        """Yield a sentence for each rule that `profile` finds broken."""
        if profile != "dev" and "*" in self.allowed_origins:
            yield "RIALTO_ALLOWED_ORIGINS must name origins; `*` is for the dev profile only."
        if profile == "prod" and not self.cookie_secure:
            yield "RIALTO_COOKIE_SECURE must be true in prod: sessions travel over TLS only."


class WorkerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The worker's knobs."""

    operator_port: Annotated[
        Port,
        variable(
            "RIALTO_WORKER_OPERATOR_PORT", "The port of the worker's health and metrics; 0: any."
        ),
    ] = 8321
    lanes: Annotated[
        int,
        msgspec.Meta(ge=1, le=16),
        variable(
            "RIALTO_WORKER_LANES",
            "How many batches of commands are carried out at a time; each holds a connection.",
        ),
    ] = 2


class CommerceSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The whole of it."""

    profile: Annotated[
        Profile, variable(PROFILE_VARIABLE, "What this copy is for: dev, staging or prod.")
    ] = "dev"
    log_level: Annotated[LogLevel, variable("RIALTO_LOG_LEVEL", "The least that is logged.")] = (
        "info"
    )
    operator_host: Annotated[
        str,
        variable("RIALTO_OPERATOR_HOST", "The address that health and metrics listen on."),
    ] = "127.0.0.1"
    web: WebSettings = WebSettings()
    worker: WorkerSettings = WorkerSettings()
    database: DatabaseSettings = DatabaseSettings()
    redis: RedisSettings = RedisSettings()
    stripe: StripeSettings = StripeSettings()
    refunds: RefundSettings = RefundSettings()
    accounts: AccountSettings = AccountSettings()
    catalog: CatalogSettings = CatalogSettings()
    licenses: LicenseSettings = LicenseSettings()
    seller: SellerSettings = SellerSettings()
