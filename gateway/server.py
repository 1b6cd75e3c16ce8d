"""serve(): the whole tree of the gateway's tasks. Start reading here."""

import functools
import socket
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
import trio
from quart_trio import QuartTrio

from gateway.actors.rates import CommandRates
from gateway.actors.services import Services
from gateway.actors.sockets import SocketBook
from gateway.actors.supervisor import RestartBudget, supervise
from gateway.connections.addresses import Addresses
from gateway.connections.conversation import Conversation, Terms
from gateway.connections.heartbeat import keep_heartbeat
from gateway.connections.line import Line
from gateway.dispatch import Dispatch
from gateway.drain import drain
from gateway.http import READY, create_app, serve_operator
from gateway.listener import Listener, open_listening_socket
from gateway.measures import measuring
from gateway.operators.crowd import Crowd
from gateway.operators.door import operators_door
from gateway.presence.state import is_person
from gateway.presence.tracker import PresenceTracker
from gateway.presence.typing import TypingBoard
from gateway.registry import Registry
from gateway.settings import GatewaySettings
from gateway.streams.opening import AnyChannels, AnyLink, make_streams
from gateway.topics.catch_up import CatchUp
from gateway.topics.hub import Hub
from gateway.topics.people import PeopleBoard
from gateway.topics.watching import WatchBoard
from protocol.ids import WorkerId
from protocol.signals import Presence, Signal
from protocol.topics import Topic
from shared.clock import Clock
from shared.ids import mint_id
from shared.logging import get_logger
from shared.tickets import TicketVerifier

_log: Final = get_logger("gateway.server")
_BUDGET: Final = RestartBudget(restarts_max=5, window_seconds=60, pause_seconds=0.5)


class Listening(msgspec.Struct, frozen=True, kw_only=True):
    """Where a gateway that is up can be reached."""

    host: str
    port: int
    operator: str


class _Engines(msgspec.Struct, frozen=True, kw_only=True):
    """What is made before anything runs."""

    link: AnyLink
    channels: AnyChannels
    presence: PresenceTracker
    typing: TypingBoard
    services: Services


async def serve(
    settings: GatewaySettings,
    *,
    clock: Clock,
    stop: trio.Event,
    task_status: trio.TaskStatus[Listening] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve clients until `stop` is set, then let them go.

    The tree, from what ends last to what ends first:

        engines   the link to Redis, and the channels heard from it
        living    presence, typing, the hub's audits, the heartbeat, an actor for each user at work
        doors     the operator's; the listener, with a conversation for each socket

    Raises:
        PortTakenError: if another program has the gateway's port.
    """
    listening = open_listening_socket(settings.listener.host, settings.listener.port)
    made = _make_engines(settings, clock)
    hub, link, channels = made.services.hub, made.link, made.channels
    async with trio.open_nursery() as engines:
        await engines.start(link.run)
        await engines.start(channels.run)
        async with trio.open_nursery() as living:
            registry = Registry(services=made.services, nursery=living)
            _listen_to(made.services, channels, registry)
            _keep_alive(
                living,
                presence=made.presence.run,
                typing=made.typing.run,
                hub=hub.run,
                sockets=made.services.sockets.run,
                watching=made.services.watching.run,
                people=made.services.people.run,
                heartbeat=functools.partial(keep_heartbeat, registry.connections),
            )
            dispatch = Dispatch(registry=registry, clock=clock)
            listener = _make_listener(settings, made.services, dispatch, listening=listening)
            async with trio.open_nursery() as doors:
                app = _operator_app(settings, made, registry, dispatch=dispatch, listener=listener)
                operator = await doors.start(serve_operator, app, settings.operator)
                await doors.start(listener.run)
                task_status.started(_announce(listening.getsockname(), operator))
                await stop.wait()
                await drain(listener=listener, dispatch=dispatch, registry=registry)
                doors.cancel_scope.cancel()
            living.cancel_scope.cancel()
        engines.cancel_scope.cancel()


def _listen_to(services: Services, channels: AnyChannels, registry: Registry) -> None:
    """Let what topics tell reach the users it is about."""
    hub = services.hub
    services.catch_up.on_ended = registry.note_ended
    hub.notices.on_member_left, hub.notices.on_revoked = registry.doubt, registry.revoke
    hub.notices.on_held, hub.notices.on_muted = registry.hear_of_holder, registry.mute
    hub.notices.writers = services.typing

    def make_sure() -> None:
        hub.audit_all()
        registry.check_sockets()

    channels.on_reconnected = make_sure


def _operator_app(
    settings: GatewaySettings,
    made: _Engines,
    registry: Registry,
    *,
    dispatch: Dispatch,
    listener: Listener,
) -> QuartTrio:
    services = made.services
    crowd = Crowd(registry=registry, hub=services.hub, clock=services.clock)
    return create_app(
        readiness=lambda: _readiness(made, dispatch),
        measure=measuring(registry, listener, services, link=made.link, channels=made.channels),
        operators=operators_door(crowd, token=settings.operator.token),
    )


def _make_engines(settings: GatewaySettings, clock: Clock) -> _Engines:
    worker = WorkerId(mint_id("wrk", clock.now()))
    link, channels = make_streams(settings.streams.redis_url)
    presence = PresenceTracker(worker=worker, link=link, channels=channels)
    typing = TypingBoard(worker=worker, link=link, presence=presence)
    hub = Hub(link=link, channels=channels, rooms=presence, clock=clock)
    channels.on_drained = hub.write_together()
    people = PeopleBoard(presence=presence)
    typing.on_change = hub.tell_signal
    presence.on_change = functools.partial(_tell_presence, hub, people)
    services = Services(
        link=link,
        hub=hub,
        catch_up=CatchUp(link=link, hub=hub),
        presence=presence,
        typing=typing,
        sockets=SocketBook(worker=worker, link=link),
        rates=CommandRates(),
        watching=WatchBoard(link=link, hub=hub),
        people=people,
        clock=clock,
        verifier=TicketVerifier(settings.tickets.verifying_keys),
    )
    return _Engines(
        link=link, channels=channels, presence=presence, typing=typing, services=services
    )


def _tell_presence(hub: Hub, people: PeopleBoard, topic: Topic, signal: Signal) -> None:
    if is_person(topic) and isinstance(signal, Presence):
        people.tell(topic, signal)
    else:
        hub.tell_signal(topic, signal)


def _make_listener(
    settings: GatewaySettings,
    services: Services,
    dispatch: Dispatch,
    *,
    listening: socket.socket,
) -> Listener:
    addresses = Addresses(
        settings.listener.trusted_proxies, per_second=settings.listener.handshakes_per_address
    )
    terms = Terms(
        addresses=addresses,
        origins=frozenset(settings.listener.allowed_origins),
        verifier=services.verifier,
        clock=services.clock,
    )

    def serve_one(line: Line, on_settled: Callable[[], None]) -> Awaitable[None]:
        return Conversation(terms=terms, host=dispatch, on_settled=on_settled).run(line)

    return Listener(
        listening,
        serve=serve_one,
        connections_max=settings.listener.connections_max,
        addresses=addresses,
    )


def _keep_alive(nursery: trio.Nursery, **works: Callable[[], Awaitable[None]]) -> None:
    for name, work in works.items():
        nursery.start_soon(functools.partial(supervise, work, name=name, budget=_BUDGET))


def _readiness(made: _Engines, dispatch: Dispatch) -> str:
    if dispatch.is_draining:
        return "draining"
    if not made.link.is_up or not made.channels.is_up:
        return "Redis cannot be reached"
    return READY


def _announce(bound: tuple[object, ...], operator: str) -> Listening:
    host, port = str(bound[0]), int(str(bound[1]))
    _log.info("gateway.ready", host=host, port=port, operator=operator)
    return Listening(host=host, port=port, operator=operator)
