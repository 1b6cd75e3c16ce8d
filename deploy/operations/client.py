"""Ask the operator ports of a running shop: one worker, or all of them at once."""

import getpass
import http.client
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, cast

import msgspec

from deploy.supervisor.state import ProcessState, ProcessStatus, ShopStatus

_ANSWER_SECONDS_MAX: Final = 5.0
_ANSWER_BYTES_MAX: Final = 4 * 2**20
_ASKING_AT_ONCE: Final = 16
_PORT: Final = "operator"
_GATEWAY: Final = "gateway"
_LISTENING: Final = frozenset({ProcessState.READY, ProcessState.UNREADY, ProcessState.STOPPING})


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What one process said, or why it said nothing."""

    name: str
    status: int = 0
    body: bytes = b""
    trouble: str = ""

    @property
    def is_good(self) -> bool:
        """Say whether it did what it was asked."""
        return self.status == http.client.OK

    def json(self) -> dict[str, Any]:
        """Return the body."""
        return cast("dict[str, Any]", json.loads(self.body))

    def complaint(self) -> str:
        """Return why it did not do what it was asked, for a person."""
        if self.trouble:
            return self.trouble
        try:
            return str(self.json()["message"])
        except (ValueError, KeyError, TypeError):
            return f"it answered {self.status}"


class Operators:
    """The operator ports of a shop, and the token that opens them."""

    def __init__(self, status: ShopStatus, *, token: str) -> None:
        self._ports = {
            process.name: process.ports[_PORT]
            for process in status.processes
            if _PORT in process.ports and process.state in _LISTENING
        }
        self._gateways = [process.name for process in status.processes if is_gateway(process)]
        self._token = token

    @property
    def gateways(self) -> list[str]:
        """Names of the gateway workers that can be asked."""
        return [name for name in self._gateways if name in self._ports]

    @property
    def processes(self) -> list[str]:
        """Names of all that can be asked."""
        return list(self._ports)

    def ask_gateways(
        self, method: str, path: str, body: Mapping[str, object] | None = None
    ) -> list[Answer]:
        """Ask every gateway worker the same, at once."""
        return self.ask_all([(name, method, path) for name in self.gateways], body)

    def ask_all(
        self, questions: list[tuple[str, str, str]], body: Mapping[str, object] | None = None
    ) -> list[Answer]:
        """Ask many (name, method, path) at once; the answers are in the order of the questions."""
        with ThreadPoolExecutor(max_workers=_ASKING_AT_ONCE) as threads:
            return list(threads.map(lambda one: self.ask(*one, body=body), questions))

    def ask(
        self, name: str, method: str, path: str, *, body: Mapping[str, object] | None = None
    ) -> Answer:
        """Ask one process. Never raises: an answer that did not come is one too."""
        port = self._ports[name]
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_ANSWER_SECONDS_MAX)
        headers = {"Authorization": f"Bearer {self._token}", "X-Rialto-Operator": _who()}
        try:
            connection.request(
                method, path, body=None if body is None else json.dumps(body), headers=headers
            )
            response = connection.getresponse()
            return Answer(name=name, status=response.status, body=response.read(_ANSWER_BYTES_MAX))
        except (OSError, http.client.HTTPException) as error:
            return Answer(name=name, trouble=f"port {port} does not answer: {error}")
        finally:
            connection.close()


def is_gateway(process: ProcessStatus) -> bool:
    """Say whether it holds sockets."""
    return _GATEWAY in process.ports


def _who() -> str:
    """Return who we are, for the gateways' audit lines."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unnamed"
