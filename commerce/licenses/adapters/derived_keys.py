"""Licence keys derived from one secret: a database that leaks gives away no key.

A key is the first 125 bits of HMAC-SHA256(derivation key, licence and generation), so the holder
can be shown it at any time though only its hash is kept. The two keys are drawn from the secret by
HKDF (RFC 5869) with different labels.
"""

import hashlib
import hmac
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from typing_extensions import override

from commerce.licenses.model import KEY_BITS, write_key
from commerce.licenses.ports import LicenseKeys
from protocol.ids import LicenseId

_BYTES: Final = 32


class DerivedKeys(LicenseKeys):
    """Holds the two halves of the secret."""

    def __init__(self, secret: str) -> None:
        self._derivation = _expand(secret, b"rialto license keys v1")
        self._pepper = _expand(secret, b"rialto license hashes v1")

    @override
    def make(self, license_id: LicenseId, *, generation: int, prefix: str) -> str:
        """Return the key of one generation of a licence: always the same."""
        told = f"{license_id}:{generation}".encode()
        digest = hmac.digest(self._derivation, told, hashlib.sha256)
        return write_key(prefix, int.from_bytes(digest) >> (8 * len(digest) - KEY_BITS))

    @override
    def hash(self, key: str) -> bytes:
        """Return what is kept of a key."""
        return hmac.digest(self._pepper, key.encode(), hashlib.sha256)


def _expand(secret: str, label: bytes) -> bytes:
    return HKDF(hashes.SHA256(), length=_BYTES, salt=None, info=label).derive(secret.encode())
