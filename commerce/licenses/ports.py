"""What licences need of the outside: secrets that only an adapter holds."""

from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec

from protocol.ids import LicenseId

Domain = Literal["license-file/v1", "license-answer/v1"]
"""What a signature is for: one made for an answer is no good for a file."""


class PublishedKey(msgspec.Struct, frozen=True, kw_only=True):
    """The public half of a signing key: 32 bytes of Ed25519 in base64url without padding."""

    kid: str
    key: str


class LicenseKeys(Protocol):
    """Makes keys and recognises them, so that no key has to be kept."""

    def make(self, license_id: LicenseId, *, generation: int, prefix: str) -> str:
        """Return the key of one generation of a licence: always the same."""
        ...

    def hash(self, key: str) -> bytes:
        """Return what is kept of a key that is written as `model.write_key` does."""
        ...


class Signer(Protocol):
    """Signs what a customer's program checks without asking us."""

    def sign(self, domain: Domain, claims: msgspec.Struct) -> str:
        """Return `claims` as `v1.header.payload.signature`."""
        ...

    def published(self) -> Sequence[PublishedKey]:
        """Return every key whose signatures are good, the current one first."""
        ...
