"""Idempotency keys: the same request twice is answered twice and carried out once.

As Stripe has it: an answer is kept from the moment the request began to be carried out, errors
included, for 24 hours; a request that was refused for its parameters, or because its key was in
use, is not remembered.
"""

import hashlib

import msgspec

from deploy.stripe_standin.errors import (
    IdempotencyMismatchError,
    KeyInUseError,
    MalformedError,
)
from deploy.stripe_standin.limits import IDEMPOTENCY_KEY_CHARACTERS_MAX, IDEMPOTENCY_SECONDS
from deploy.stripe_standin.store import Store


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that can be given again."""

    status: int
    body: bytes
    request: str
    """The id of the request that was carried out."""


class Keys:
    """The keys in use, and the answers of those used."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._in_use: set[str] = set()

    def claim(self, key: str, fingerprint: str, *, now: int) -> Answer | None:
        """Take a key, to be let go by `release`; or return the answer it got before.

        Raises:
            MalformedError: if the key is too long.
            KeyInUseError: if a request with it is being carried out.
            IdempotencyMismatchError: if it was used for another request.
        """
        if len(key) > IDEMPOTENCY_KEY_CHARACTERS_MAX:
            raise MalformedError(
                f"Idempotency keys can have at most {IDEMPOTENCY_KEY_CHARACTERS_MAX} characters."
            )
        if key in self._in_use:
            raise KeyInUseError(
                f"There is currently another in-progress request using this idempotent key "
                f"({key}). Please try again in a moment.",
                code="idempotency_key_in_use",
            )
        self._store.execute("delete from answers where answered_at <= ?", now - IDEMPOTENCY_SECONDS)
        rows = self._store.query("select * from answers where key = ?", key)
        if not rows:
            self._in_use.add(key)
            return None
        if rows[0]["fingerprint"] != fingerprint:
            raise IdempotencyMismatchError(
                "Keys for idempotent requests can only be used with the same parameters they were "
                f"first used with. Try using a key other than '{key}' if you meant to execute a "
                "different request."
            )
        return Answer(status=rows[0]["status"], body=rows[0]["body"], request=rows[0]["request"])

    def keep(self, key: str, fingerprint: str, answer: Answer, *, now: int) -> None:
        """Remember an answer; call it in the transaction of what was carried out."""
        self._store.execute(
            "insert into answers (key, answered_at, fingerprint, status, body, request)"
            " values (?, ?, ?, ?, ?, ?)",
            key,
            now,
            fingerprint,
            answer.status,
            answer.body,
            answer.request,
        )

    def release(self, key: str) -> None:
        """Let a key go that `claim` took."""
        self._in_use.discard(key)


def fingerprint(method: str, path: str, body: bytes) -> str:
    """Return what makes a request the same request."""
    return hashlib.sha256(b"\n".join((method.encode(), path.encode(), body))).hexdigest()
