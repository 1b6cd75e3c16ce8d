"""Which process listens where."""

from typing import Final

import msgspec

from deploy.engines.ports import PORT_MAX, free_port_from, is_free
from deploy.supervisor.errors import StartError

_GATEWAY: Final = 1
_GATEWAY_OPERATOR: Final = 10
_WEB_OPERATOR: Final = 20
_WORKER_OPERATOR: Final = 21
_POSTGRES: Final = 32
_STRIPE: Final = 40
_VALKEY: Final = 79
_SHOP_STEP: Final = 100
"""A second shop beside the first looks this much higher for its ports."""


class PortPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Two ports the world sees, and the private ones."""

    web: int
    gateway: int
    gateway_operators: tuple[int, ...]
    web_operator: int
    worker_operator: int
    postgres: int
    valkey: int
    stripe: int


def plan_ports(*, base: int, is_explicit: bool, gateways: int) -> PortPlan:
    """Choose the ports.

    The two public ones are `base` and the next. If they are busy, an explicit choice is refused,
    and otherwise others are looked for; a busy private one is always replaced.

    Raises:
        StartError: if the base port was asked for and is busy.
    """
    web = base if is_explicit else _free_base(base)
    _refuse_busy(web, "--port" if is_explicit else "the page's port")
    _refuse_busy(web + _GATEWAY, f"--port {web}: the gateway's port, the next one")
    taken = {web, web + _GATEWAY}

    def private(preferred: int) -> int:
        start = preferred if preferred <= PORT_MAX else preferred % 10_000 + 10_000
        port = free_port_from(start, taken=frozenset(taken))
        taken.add(port)
        return port

    return PortPlan(
        web=web,
        gateway=web + _GATEWAY,
        gateway_operators=tuple(
            private(web + _GATEWAY_OPERATOR + number) for number in range(gateways)
        ),
        web_operator=private(web + _WEB_OPERATOR),
        worker_operator=private(web + _WORKER_OPERATOR),
        postgres=private(web + _POSTGRES),
        valkey=private(web + _VALKEY),
        stripe=private(web + _STRIPE),
    )


def _free_base(base: int) -> int:
    for candidate in range(base, PORT_MAX - _SHOP_STEP, _SHOP_STEP):
        if is_free(candidate) and is_free(candidate + _GATEWAY):
            return candidate
    return base


def _refuse_busy(port: int, name: str) -> None:
    if not is_free(port):
        raise StartError(
            f"port {port} ({name}) is taken by another program; choose another with --port.",
            exit_code=2,
        )
