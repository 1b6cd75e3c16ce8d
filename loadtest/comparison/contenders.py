"""Who is measured: how each server is started, and what is spoken to it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Final

import msgspec

from loadtest.comparison.cores import Cores
from loadtest.comparison.dialects import Dialect, PlainDialect, RialtoDialect, SocketIoDialect
from loadtest.comparison.engines import valkey
from loadtest.comparison.peers import node_argv, peer_python_argv
from loadtest.comparison.servers import Server, free_port, python_argv
from loadtest.comparison.streams import Publisher
from loadtest.comparison.tickets import TicketOffice

RIALTO: Final = "rialto"


class Contender(msgspec.Struct, frozen=True, kw_only=True):
    """One server that can be measured."""

    name: str
    explanation: str
    dialect: Callable[[], Dialect]
    argv: Callable[[], tuple[str, ...]]
    needs_valkey: bool = False

    @property
    def is_rialto(self) -> bool:
        """Say whether it is the one all this is about."""
        return self.name == RIALTO


class Arena(msgspec.Struct, frozen=True, kw_only=True):
    """A contender that runs, and what is needed to load it."""

    contender: Contender
    server: Server
    dialect: Dialect
    office: TicketOffice
    cores: Cores
    publisher: Publisher | None = None


def _node(program: str) -> Callable[[], tuple[str, ...]]:
    return lambda: node_argv(program)


def _python(program: str) -> Callable[[], tuple[str, ...]]:
    return lambda: peer_python_argv(program)


CONTENDERS: Final[Mapping[str, Contender]] = {
    contender.name: contender
    for contender in (
        Contender(
            name=RIALTO,
            explanation="the gateway alone, with a Valkey of its own",
            dialect=RialtoDialect,
            argv=lambda: python_argv("gateway"),
            needs_valkey=True,
        ),
        Contender(
            name="socket.io",
            explanation="Socket.IO 4 on Node",
            dialect=SocketIoDialect,
            argv=_node("socketio.js"),
        ),
        Contender(
            name="socket.io+streams",
            explanation="Socket.IO 4 on Node with its Redis streams adapter",
            dialect=SocketIoDialect,
            argv=_node("socketio.js"),
            needs_valkey=True,
        ),
        Contender(name="ws", explanation="ws 8 on Node", dialect=PlainDialect, argv=_node("ws.js")),
        Contender(
            name="python-socketio",
            explanation="python-socketio on uvicorn and uvloop",
            dialect=SocketIoDialect,
            argv=_python("socketio_server.py"),
        ),
        Contender(
            name="websockets",
            explanation="websockets on uvloop",
            dialect=PlainDialect,
            argv=_python("websockets_server.py"),
        ),
    )
}


@contextmanager
def arena(contender: Contender, cores: Cores) -> Iterator[Arena]:
    """Run a contender on the server's core for the length of the block; Valkey on the other."""
    office = TicketOffice()
    with ExitStack() as stack:
        port = free_port()
        variables = {"BENCH_PORT": str(port), "BENCH_VERIFYING_KEY": office.verifying_key}
        publisher = None
        if contender.needs_valkey:
            redis = stack.enter_context(valkey(cores.generator))
            variables["BENCH_REDIS_URL"] = redis.url
            if contender.is_rialto:
                publisher = Publisher(redis.port)
                stack.callback(publisher.close)
                variables |= gateway_variables(redis.url, port, office)
        server = stack.enter_context(
            Server(contender.argv(), variables=variables, port=port, core=cores.server)
        )
        yield Arena(
            contender=contender,
            server=server,
            dialect=contender.dialect(),
            office=office,
            cores=cores,
            publisher=publisher,
        )


def gateway_variables(redis_url: str, port: int, office: TicketOffice) -> dict[str, str]:
    """Return the environment of a gateway by itself."""
    return {
        "RIALTO_REDIS_URL": redis_url,
        "RIALTO_GATEWAY_PORT": str(port),
        "RIALTO_GATEWAY_OPERATOR_PORT": "0",
        "RIALTO_TICKET_VERIFYING_KEYS": office.verifying_key,
        "RIALTO_LOG_LEVEL": "warning",
    }
