"""Wait for something to become true, but not for ever."""

import trio


async def wait_until(condition, *, seconds=10.0):
    """Return as soon as `condition()` holds; fail if it does not in time."""
    with trio.fail_after(seconds):
        while not condition():  # noqa: ASYNC110  # what is waited for knows no events
            await trio.sleep(0.01)
