"""Is it ready? One question to one server, answered within seconds."""

import http.client
import subprocess
from collections.abc import Callable
from typing import Final

from deploy.engines.binaries import postgres_folder

_ANSWER_SECONDS_MAX: Final = 2.0
_CONNECT_SECONDS_MAX: Final = 5


def http_probe(port: int, *, path: str = "/readyz") -> Callable[[], bool]:
    """Return a probe that asks the operator port whether the process is ready."""

    def is_ready() -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_ANSWER_SECONDS_MAX)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    return is_ready


def ask_postgres(url: str, statement: str) -> str:
    """Return the answer of any Postgres to one statement, unadorned.

    Raises:
        ConnectionError: with what it said, if it does not answer or refuses.
    """
    finished = subprocess.run(
        [str(postgres_folder(None) / "psql"), "-X", "-q", "-A", "-t", "-c", statement, url],
        env={"PGCONNECT_TIMEOUT": str(_CONNECT_SECONDS_MAX), "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if finished.returncode != 0:
        raise ConnectionError(" ".join(finished.stderr.split()))
    return finished.stdout.strip()


def ping_redis(url: str) -> None:
    """See that a Redis answers, or the first node that is named of a cluster.

    Raises:
        ConnectionError: with the reason, if it does not.
    """
    if "+cluster://" in url:
        url = url.replace("+cluster://", "://").split(",", 1)[0]
    import redis  # noqa: PLC0415 - slow to import, and only needed for an outside Redis

    try:
        client = redis.Redis.from_url(url, socket_timeout=_CONNECT_SECONDS_MAX)
        with client:
            client.ping()
    except (redis.RedisError, ValueError) as error:
        raise ConnectionError(str(error)) from error
