"""What an actor stands on; made once, in `gateway.server`."""

import msgspec

from gateway.actors.rates import CommandRates
from gateway.actors.sockets import SocketBook
from gateway.presence.tracker import PresenceTracker
from gateway.presence.typing import TypingBoard
from gateway.streams.link import Calls
from gateway.topics.catch_up import CatchUp
from gateway.topics.hub import Hub
from gateway.topics.people import PeopleBoard
from gateway.topics.watching import WatchBoard
from shared.clock import Clock
from shared.tickets import TicketVerifier


class Services(msgspec.Struct, frozen=True, kw_only=True):
    """The rest of the worker, as an actor knows it."""

    link: Calls
    hub: Hub
    catch_up: CatchUp
    presence: PresenceTracker
    typing: TypingBoard
    sockets: SocketBook
    rates: CommandRates
    watching: WatchBoard
    people: PeopleBoard
    clock: Clock
    verifier: TicketVerifier
