"""Structured logs: one line per unit of work, to standard error.

Event names are `noun.verbed`. Values under a name that promises a secret never leave the process.
"""

import logging
import sys
from typing import Final, cast

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

_SECRET_PARTS: Final = (
    "password",
    "secret",
    "token",
    "ticket",
    "cookie",
    "authorization",
    "key_pem",
)
_REDACTED: Final = "[redacted]"


def configure_logging(*, program: str, level: str = "info", machine_readable: bool = True) -> None:
    """Set up logging for the whole process; call once, before the first log line.

    With `machine_readable` each line is one JSON object, else text for people.
    """
    renderer = (
        structlog.processors.JSONRenderer()
        if machine_readable
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            redact,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_to_standard_error,
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.bind_contextvars(program=program)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(message)s")


def _to_standard_error(*_names: object) -> structlog.PrintLogger:
    """Look the stream up for each line: it may have been replaced since the set-up."""
    return structlog.PrintLogger(sys.stderr)


def get_logger(name: str) -> FilteringBoundLogger:
    """Return a logger whose lines say which part of the program they come from."""
    logger: FilteringBoundLogger = structlog.get_logger(part=name)
    return logger


def get_audit_logger(name: str) -> FilteringBoundLogger:
    """Return a logger for what people did with power: written whatever the level is set to."""
    logger: FilteringBoundLogger = structlog.wrap_logger(
        None, wrapper_class=structlog.make_filtering_bound_logger("info"), part=name
    )
    return logger


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Blank every value whose name promises a secret, at any depth."""
    return {name: _blank(name, value) for name, value in event.items()}


def _blank(name: str, value: object) -> object:
    if any(part in name.lower() for part in _SECRET_PARTS):
        return _REDACTED
    if isinstance(value, dict):
        mapping = cast("dict[object, object]", value)
        return {str(inner): _blank(str(inner), deeper) for inner, deeper in mapping.items()}
    return value
