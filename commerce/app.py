"""The web program, wired: every feature's door, opened in one application."""

import asyncio
from collections.abc import Mapping
from typing import Final

from quart import Quart, Response
from redis.asyncio import Redis

from commerce.accounts import endpoints as accounts
from commerce.accounts.adapters.argon2_passwords import Argon2Passwords
from commerce.accounts.adapters.redis_sessions import RedisSessions
from commerce.admin import endpoints as admin
from commerce.cart import endpoints as cart
from commerce.catalog import endpoints as catalog
from commerce.chat import endpoints as chat
from commerce.delivery import endpoints as delivery
from commerce.discounts import endpoints as discounts
from commerce.exports import endpoints as exports
from commerce.exports.settings import ExportFolder, folder_in
from commerce.foundation.answering import (
    REQUEST_BODY_BYTES_MAX,
    install_request_log,
    open_doors,
)
from commerce.foundation.completing import Completer
from commerce.foundation.database import Database, open_database
from commerce.foundation.http import Door, WebContext
from commerce.foundation.leadership import for_ever
from commerce.foundation.openapi import install_openapi, openapi_document
from commerce.foundation.problems import install_problems
from commerce.foundation.rate_limit import RateLimit, RateLimiter
from commerce.foundation.redis_client import open_redis
from commerce.foundation.security import ContentPolicy, SessionCookie, security_headers
from commerce.foundation.serving import Listener, operator_app, serve, stop_signals
from commerce.foundation.settings import StripeSettings
from commerce.foundation.stripe_api import StripeApi, open_stripe
from commerce.invoices import endpoints as invoices
from commerce.invoices.adapters.typst_printer import TypstPrinter
from commerce.ledger import endpoints as ledger
from commerce.licenses import endpoints as licenses
from commerce.licenses.adapters.derived_keys import DerivedKeys
from commerce.licenses.adapters.ed25519_signer import Ed25519Signer
from commerce.notifications import endpoints as notifications
from commerce.orders import endpoints as orders
from commerce.orders.ports import Till
from commerce.payments import endpoints as payments
from commerce.payments.adapters.stripe_gateway import StripeGateway
from commerce.refunds import endpoints as refunds
from commerce.settings import CommerceSettings
from commerce.settlement import endpoints as settlement
from commerce.storefront import cards, pages
from commerce.subscriptions import endpoints as subscriptions
from commerce.subscriptions.ports import Bank
from commerce.taxes import endpoints as taxes
from shared.clock import Clock, SystemClock
from shared.tickets import TicketSigner

VERSION: Final = "0.1.0"

STRIPE_JS_SOURCES: Final = (
    "https://js.stripe.com",
    "https://hooks.stripe.com",
    "https://api.stripe.com",
)
"""Where Stripe.js comes from, frames its form and asks banks; open only with a publishable key."""


def doors(settings: CommerceSettings) -> tuple[Door, ...]:
    """Return the doors that are open under these settings."""
    opened = (
        accounts.door,
        catalog.door,
        chat.door,
        cart.door,
        discounts.door,
        taxes.door,
        orders.door,
        refunds.door,
        delivery.door,
        admin.door,
        exports.door,
        invoices.door,
        ledger.door,
        licenses.door,
        subscriptions.door,
        notifications.door,
        payments.door,
        settlement.door,
        cards.door,
    )
    return (*opened, accounts.demo_door) if settings.profile == "dev" else opened


def create_app(
    settings: CommerceSettings,
    *,
    database: Database,
    redis: Redis,
    clock: Clock,
    stripe: StripeApi | None = None,
) -> Quart:
    """Wire the web program on what it stands on; without `stripe` it makes a client of its own."""
    app = Quart("commerce", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = REQUEST_BODY_BYTES_MAX
    context = web_context(
        settings,
        database=database,
        redis=redis,
        clock=clock,
        stripe=stripe or StripeApi(settings.stripe),
    )
    install_request_log(app, tells_statements=settings.profile == "dev")
    install_problems(app)
    policy = ContentPolicy(
        connect_sources=(settings.accounts.socket_url,),
        payment_sources=STRIPE_JS_SOURCES if settings.stripe.publishable_key else (),
    )
    _install_headers(app, security_headers(policy, secure=settings.web.cookie_secure))
    opened = doors(settings)
    open_doors(app, opened, context)
    catalog.open_media(app, settings.catalog.files_path)
    install_openapi(app, openapi_document(opened, version=VERSION, cookie=context.cookie))
    pages.install(app, context, settings)
    return app


def web_context(
    settings: CommerceSettings,
    *,
    database: Database,
    redis: Redis,
    clock: Clock,
    stripe: StripeApi,
) -> WebContext:
    """Return what every endpoint may reach."""
    told = settings.accounts
    sessions = RedisSessions(redis, clock)
    limits = RateLimit(name="sign-in", count=told.attempts_per_minute, per_seconds=60)
    services: Mapping[type, object] = {
        RedisSessions: sessions,
        Argon2Passwords: Argon2Passwords(
            memory_kib=told.password_memory_kib, rounds=told.password_rounds
        ),
        TicketSigner: TicketSigner(told.ticket_signing_key),
        accounts.SignInLimits: accounts.SignInLimits(per_address=limits),
        accounts.SocketAddress: accounts.SocketAddress(url=told.socket_url),
        type(settings.catalog): settings.catalog,
        type(settings.refunds): settings.refunds,
        ExportFolder: folder_in(settings.catalog.files_path),
        TypstPrinter: TypstPrinter(fonts_dir=settings.seller.fonts_dir),
        DerivedKeys: DerivedKeys(settings.licenses.secret),
        Ed25519Signer: Ed25519Signer(settings.licenses.file_keys),
        **_moving_money(settings, stripe, clock),
    }
    return WebContext(
        database=database,
        redis=redis,
        clock=clock,
        authenticator=sessions,
        limiter=RateLimiter(redis),
        cookie=SessionCookie(secure=settings.web.cookie_secure),
        allowed_origins=(*settings.web.allowed_origins, settings.web.public_url),
        services=services,
    )


def _moving_money(
    settings: CommerceSettings, stripe: StripeApi, clock: Clock
) -> Mapping[type, object]:
    gateway = StripeGateway(stripe, clock, shop_url=settings.web.public_url)
    return {
        StripeSettings: settings.stripe,
        StripeGateway: gateway,
        Till: Till(gateway=gateway, standin_url=settings.stripe.standin_url),
        Bank: Bank(gateway),
    }


async def run(settings: CommerceSettings) -> None:
    """Serve the shop until told to stop."""
    clock = SystemClock()
    async with (
        stop_signals() as stop,
        open_database(settings.database, clock=clock) as database,
        open_redis(settings.redis) as redis,
        open_stripe(settings.stripe) as stripe,
    ):
        app = create_app(settings, database=database, redis=redis, clock=clock, stripe=stripe)
        operator = operator_app({"database": database.ping, "redis": redis.ping})
        listeners = [
            Listener(app, host=settings.web.host, port=settings.web.port),
            Listener(operator, host=settings.operator_host, port=settings.web.operator_port),
        ]
        context = web_context(settings, database=database, redis=redis, clock=clock, stripe=stripe)
        completer = Completer(doors(settings), context)
        beside = [
            asyncio.create_task(database.announce()),
            asyncio.create_task(for_ever(completer.run, name="completer")),
        ]
        try:
            await serve(listeners, stop)
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)


def _install_headers(app: Quart, headers: Mapping[str, str]) -> None:
    @app.after_request
    async def protect(response: Response) -> Response:
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        return response
