"""The worker program, wired: commands, messages, events on their way out, and the clock's jobs."""

import asyncio
import functools
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any, Final

from redis.asyncio import Redis

from commerce import invariants
from commerce.cart import jobs as cart_jobs, reactions as cart_reactions
from commerce.chat import reactions as chat_reactions, service as chat
from commerce.delivery import jobs as delivery_jobs, reactions as delivery_reactions
from commerce.exports import jobs as exports_jobs
from commerce.exports.settings import folder_in
from commerce.foundation.commands import Commands, forget_old_outcomes
from commerce.foundation.database import Database, open_database
from commerce.foundation.idempotency import forget_old_keys
from commerce.foundation.inbox import Inbox, Subscription, forget_old_messages
from commerce.foundation.jobs import Errand, Job, JobRunner
from commerce.foundation.lanes import Lane
from commerce.foundation.leadership import for_ever
from commerce.foundation.publisher import Publisher, open_publisher
from commerce.foundation.reactions import Reaction
from commerce.foundation.redis_client import open_redis
from commerce.foundation.relay import AccessSource, Relay, forget_published
from commerce.foundation.serving import Listener, operator_app, serve, stop_signals
from commerce.foundation.stripe_api import StripeApi, open_stripe
from commerce.invoices import jobs as invoices_jobs
from commerce.ledger import jobs as ledger_jobs
from commerce.ledger.adapters.stripe_balance import StripeBalance
from commerce.licenses import reactions as licenses_reactions
from commerce.licenses.adapters.derived_keys import DerivedKeys
from commerce.notifications import jobs as notifications_jobs, reactions as notifications_reactions
from commerce.orders import jobs as orders_jobs, reactions as orders_reactions, service as orders
from commerce.payments.adapters.stripe_gateway import StripeGateway
from commerce.refunds import jobs as refunds_jobs, reactions as refunds_reactions
from commerce.refunds.adapters.stripe_refunds import StripeRefunds
from commerce.settings import CommerceSettings
from commerce.settlement import jobs as settlement_jobs
from commerce.settlement.service import Standing
from commerce.subscriptions import (
    jobs as subscriptions_jobs,
    reactions as subscriptions_reactions,
)
from protocol.stream_names import COMMAND_PARTITIONS
from shared.clock import SystemClock

FOUNDATION_JOBS: Final = (
    Job(name="outbox.forget", every_seconds=60, run=forget_published),
    Job(name="commands.forget", every_seconds=3600, run=forget_old_outcomes),
    Job(name="idempotency.forget", every_seconds=3600, run=forget_old_keys),
    Job(name="inbox.forget", every_seconds=3600, run=forget_old_messages),
)
JOBS: Final[Sequence[Job]] = (
    *FOUNDATION_JOBS,
    *cart_jobs.JOBS,
    *orders_jobs.JOBS,
    *delivery_jobs.JOBS,
    *refunds_jobs.JOBS,
    *subscriptions_jobs.JOBS,
    *notifications_jobs.JOBS,
    *settlement_jobs.JOBS,
)
SUBSCRIPTIONS: Final[Sequence[Subscription]] = notifications_reactions.SUBSCRIPTIONS
COMMANDS: Final[Commands] = {
    **chat_reactions.COMMANDS,
    **cart_reactions.COMMANDS,
    **orders_reactions.COMMANDS,
}
ACCESS_SOURCES: Final[Sequence[AccessSource]] = (chat.access, orders.access)
"""What knows who may hear which topic."""


def jobs_of(settings: CommerceSettings) -> Sequence[Job]:
    """Return what the clock starts under these settings."""
    folder = folder_in(settings.catalog.files_path)
    return (*JOBS, *invoices_jobs.jobs(settings.seller), *exports_jobs.jobs(folder))


ERRANDS: Final[Sequence[Errand]] = (*exports_jobs.ERRANDS, *invariants.ERRANDS)


def errands_of(
    settings: CommerceSettings, *, database: Database, stripe: StripeApi
) -> Sequence[Errand]:
    """Return the jobs that call the outside; without an account none that calls Stripe."""
    standing = standing_on(settings, database=database, stripe=stripe)
    ours = (*ERRANDS, *orders_jobs.errands(standing.gateway))
    if not stripe.is_open:
        return ours
    return (
        *ours,
        *ledger_jobs.errands(StripeBalance(stripe)),
        *refunds_jobs.errands(StripeRefunds(stripe)),
        *subscriptions_jobs.errands(standing.gateway),
        *settlement_jobs.errands(standing, is_live=settings.stripe.is_live),
    )


def standing_on(settings: CommerceSettings, *, database: Database, stripe: StripeApi) -> Standing:
    """Return what settling stands on."""
    gateway = StripeGateway(stripe, database.clock, shop_url=settings.web.public_url)
    return Standing(database=database, gateway=gateway, refunds=StripeRefunds(stripe))


def reactions_of(settings: CommerceSettings) -> Sequence[Reaction]:
    """Return what features do when they hear of other features' events."""
    return (
        *notifications_reactions.REACTIONS,
        *delivery_reactions.REACTIONS,
        *subscriptions_reactions.REACTIONS,
        *refunds_reactions.REACTIONS,
        *licenses_reactions.reactions(DerivedKeys(settings.licenses.secret)),
    )


async def run(settings: CommerceSettings) -> None:
    """Work until told to stop."""
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        stop = await stack.enter_async_context(stop_signals())
        database = await stack.enter_async_context(open_database(settings.database, clock=clock))
        redis = await stack.enter_async_context(open_redis(settings.redis))
        publisher = await stack.enter_async_context(open_publisher(settings.redis))
        stripe = await stack.enter_async_context(open_stripe(settings.stripe))
        operator = operator_app({"database": database.ping, "redis": redis.ping})
        listener = Listener(
            operator, host=settings.operator_host, port=settings.worker.operator_port
        )
        async with asyncio.TaskGroup() as tasks:
            working = tasks.create_task(
                work(settings, database=database, redis=redis, publisher=publisher, stripe=stripe)
            )
            await serve([listener], stop)
            working.cancel()


async def work(
    settings: CommerceSettings,
    *,
    database: Database,
    redis: Redis,
    publisher: Publisher,
    stripe: StripeApi,
) -> None:
    """Do everything a worker does, for ever."""
    at: dict[str, Any] = {"clock": database.clock, "bell": database.bell}
    relay = Relay(
        settings.database,
        database=database,
        publisher=publisher,
        access_sources=ACCESS_SOURCES,
        reactions=reactions_of(settings),
    )
    inboxes = [Inbox(settings.database, each, redis=redis, **at) for each in SUBSCRIPTIONS]
    errands = errands_of(settings, database=database, stripe=stripe)
    runner = JobRunner(
        settings.database, jobs_of(settings), errands=errands, database=database, **at
    )
    settling = functools.partial(
        settlement_jobs.settle_for_ever, standing_on(settings, database=database, stripe=stripe)
    )
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(for_ever(relay.run, name="relay"))
        tasks.create_task(for_ever(runner.run, name="jobs"))
        tasks.create_task(database.announce())
        tasks.create_task(for_ever(settling, name="settlement"))
        for number, lane in enumerate(_lanes(settings, redis=redis, **at)):
            tasks.create_task(for_ever(lane.run, name=f"lane-{number}"))
        for inbox in inboxes:
            tasks.create_task(for_ever(inbox.run, name="inbox"))


def _lanes(settings: CommerceSettings, *, redis: Redis, **at: Any) -> list[Lane]:  # noqa: ANN401 - the clock and the bell
    return [
        Lane(
            settings.database,
            redis=redis,
            partitions=range(number, COMMAND_PARTITIONS, settings.worker.lanes),
            handlers=COMMANDS,
            **at,
        )
        for number in range(settings.worker.lanes)
    ]
