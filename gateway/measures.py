"""The gauges of the worker: what it holds now, read when the operator looks."""

from collections.abc import Callable
from typing import Final

from prometheus_client import Gauge

from gateway.actors.services import Services
from gateway.listener import Listener
from gateway.registry import Registry
from gateway.streams.opening import AnyChannels, AnyLink

_gauges: Final = {
    name: Gauge(f"rialto_gateway_{name}", explanation)
    for name, explanation in {
        "connections": "Admitted connections.",
        "actors": "Users connected here.",
        "mailbox_messages": "Messages that actors have not taken yet.",
        "users_shut_out": "Users shut out now, because their actor keeps dying.",
        "outboxes": "Sockets for which something waits.",
        "outbox_bytes": "Bytes that wait for slow sockets.",
        "outbox_seconds_max": "How long the oldest frame has waited for its socket.",
        "silence_seconds_max": "The longest that a connection has said nothing.",
        "sockets": "Open sockets, admitted or not.",
        "handshakes": "Sockets that have not said hello yet.",
        "feeds": "Topics heard by this worker.",
        "rooms": "Rooms among them.",
        "subscriptions": "Topics heard, counted for each connection.",
        "audits_waiting": "Topics waiting to be compared with their logs.",
        "present_users": "Users of this worker who are present, in their grace too.",
        "present_rooms": "Rooms in which users of this worker are present.",
        "presence_kept": "Rooms and users of whose presence this worker keeps something.",
        "followed_people": "Users whose presence somebody here follows.",
        "follows": "The same, counted for each connection.",
        "watched_products": "Products that somebody here watches.",
        "watches": "The same, counted for each connection.",
        "link_up": "1 while calls to Redis are possible.",
        "channels_up": "1 while every live channel is attached.",
        "channels_attached": "Channels of Redis that are heard.",
        "link_waiting": "Calls to Redis not answered yet.",
        "link_unsent_bytes": "Bytes not written to Redis yet.",
        "link_disconnects": "Times the connection to Redis was lost.",
        "channels_disconnects": "Times the connection for channels was lost.",
        "channels_receiver_failures": "Messages on which a receiver failed.",
    }.items()
}


def measuring(
    registry: Registry,
    listener: Listener,
    services: Services,
    *,
    link: AnyLink,
    channels: AnyChannels,
) -> Callable[[], None]:
    """Return what brings every gauge up to date."""

    def measure() -> None:
        people, sockets = registry.statistics(), listener.statistics()
        calls, heard = link.statistics(), channels.statistics()
        values = {
            "connections": people.connections_count,
            "actors": people.actors_count,
            "mailbox_messages": people.mailbox_messages_count,
            "users_shut_out": people.crash_loops_count,
            "outboxes": people.outboxes_count,
            "outbox_bytes": people.outbox_bytes,
            "outbox_seconds_max": people.outbox_seconds_max,
            "silence_seconds_max": people.silence_seconds_max,
            "sockets": sockets.sockets_count,
            "handshakes": sockets.handshakes_count,
            **_heard(services),
            "link_up": calls.is_up,
            "channels_up": heard.is_up,
            "channels_attached": heard.attached_count,
            "link_waiting": calls.waiting_count,
            "link_unsent_bytes": calls.unsent_bytes,
            "link_disconnects": calls.disconnects_count,
            "channels_disconnects": heard.disconnects_count,
            "channels_receiver_failures": heard.receiver_failures_count,
        }
        for name, value in values.items():
            _gauges[name].set(value)

    return measure


def _heard(services: Services) -> dict[str, int]:
    """Return what is kept of topics, and of people and products because pages show them."""
    topics = services.hub.statistics()
    here, followed = services.presence.statistics(), services.people.statistics()
    watched = services.watching.statistics()
    return {
        "feeds": topics.feeds_count,
        "rooms": topics.rooms_count,
        "subscriptions": topics.subscriptions_count,
        "audits_waiting": topics.audits_waiting_count,
        "present_users": here.people_count,
        "present_rooms": here.rooms_count,
        "presence_kept": here.kept_count,
        "followed_people": followed.people_count,
        "follows": followed.follows_count,
        "watched_products": watched.products_count,
        "watches": watched.watches_count,
    }
