"""File descriptors: every socket is one, and the system's default is often too few."""

import resource

from loadtest.limits import DESCRIPTORS_SPARE, REST_CONNECTIONS_MAX


class TooFewDescriptorsError(Exception):
    """The system does not let one process open that many sockets."""


def raise_limit(sockets: int) -> int:
    """Let this process and its children open `sockets` sockets; return the limit there is now.

    The hard limit is raised too where the system lets us, as it does root.

    Raises:
        TooFewDescriptorsError: if it does not; the message says what to do.
    """
    needed = sockets + REST_CONNECTIONS_MAX + DESCRIPTORS_SPARE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    if soft == unlimited or soft >= needed:
        return soft
    wanted = needed if hard == unlimited else max(needed, hard)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard if hard == unlimited else wanted))
    except (ValueError, OSError):
        raise TooFewDescriptorsError(
            f"{sockets} sockets in one process need {needed} file descriptors, but the hard limit "
            f"is {hard}. Raise it (`ulimit -Hn {needed}` as root, or LimitNOFILE= in a unit), or "
            f"spread the users over more processes with --processes."
        ) from None
    return wanted
