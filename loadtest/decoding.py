"""Decodes what many members of a room hear only once: the gateway sends all of them equal bytes.

Looking a frame up costs a tenth of decoding it, and the harness shares its machine with the shop.
"""

from loadtest.limits import DECODED_KEPT_MAX
from protocol.codec import decode_server_frame
from protocol.server_frames import AnyServerFrame
from protocol.version import WireFormat


class SharedDecoder:
    """Decodes frames of one wire format. Frames are immutable, so many may hold the same one."""

    def __init__(self) -> None:
        self._newer: dict[bytes, AnyServerFrame] = {}
        self._older: dict[bytes, AnyServerFrame] = {}

    def decode(self, message: bytes, wire_format: WireFormat) -> AnyServerFrame:
        """Decode what the gateway sent.

        Raises:
            msgspec.DecodeError: if it is not a frame the gateway may send.
        """
        known = self._newer.get(message)
        if known is not None:
            return known
        known = self._older.get(message)
        if known is None:
            known = decode_server_frame(message, wire_format)
        self._newer[message] = known
        if len(self._newer) >= DECODED_KEPT_MAX:
            self._older, self._newer = self._newer, {}
        return known
