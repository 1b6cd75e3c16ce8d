"""Signatures that a customer's program checks offline: Ed25519 (RFC 8032).

The text is `v1.header.payload.signature`, each part in base64url without padding (RFC 4648 §5). The
signature is over the domain, a zero byte, and the header's and payload's parts with the dot
between them, so that it is good for one purpose only. The specification is
`protocol/license_file/README.md`.
"""

import base64
from collections.abc import Sequence
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typing_extensions import override

from commerce.licenses.ports import Domain, PublishedKey, Signer

VERSION: Final = "v1"
_encoder: Final = msgspec.json.Encoder(order="deterministic")


class Ed25519Signer(Signer):
    """Signs with the first of its keys, and publishes all of them."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = dict(map(_parse, keys))
        self._current = next(iter(self._keys))

    @override
    def sign(self, domain: Domain, claims: msgspec.Struct) -> str:
        """Return `claims` as `v1.header.payload.signature`."""
        header = _unpadded(_encoder.encode({"alg": "Ed25519", "kid": self._current}))
        signed = f"{header}.{_unpadded(_encoder.encode(claims))}"
        signature = self._keys[self._current].sign(f"{domain}\0{signed}".encode())
        return f"{VERSION}.{signed}.{_unpadded(signature)}"

    @override
    def published(self) -> Sequence[PublishedKey]:
        """Return every key whose signatures are good, the current one first."""
        return [
            PublishedKey(kid=name, key=_unpadded(key.public_key().public_bytes_raw()))
            for name, key in self._keys.items()
        ]


def _parse(key: str) -> tuple[str, Ed25519PrivateKey]:
    """Read `kid:base64`; settings have seen to it that it is so."""
    name, _, encoded = key.partition(":")
    return name, Ed25519PrivateKey.from_private_bytes(base64.b64decode(encoded))


def _unpadded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
