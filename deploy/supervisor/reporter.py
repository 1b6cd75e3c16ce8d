"""What a supervisor has to say while it works, and to whom."""

from typing import Protocol


class Reporter(Protocol):
    """Listens to the supervisor; it must not block."""

    def ready(self, name: str, where: str, seconds: float) -> None:
        """`name` is ready at `where` (or has done its task), and it took that long."""

    def note(self, name: str, sentence: str) -> None:
        """Something worth knowing happened to `name`."""

    def trouble(self, name: str, sentence: str) -> None:
        """Something is wrong with `name`."""
