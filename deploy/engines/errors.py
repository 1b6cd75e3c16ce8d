"""What can stop an engine from starting, in sentences for the person at the keyboard."""


class EngineError(Exception):
    """The engine cannot run; the message says why and what to do."""


class WrongVersionError(EngineError):
    """The files on disk were written by another major version."""
