"""A byte stream in memory whose far end reads when it likes: a client as slow as a test wants."""

import trio


class MemoryLine:
    """The gateway's end. The kernel in between holds `window_bytes` and no more."""

    def __init__(self, *, window_bytes=1 << 30):
        self.window_bytes = window_bytes
        self.unread = bytearray()
        self.inbound = bytearray()
        self.is_closed = False
        self.was_reset = False
        self.has_finished_sending = False
        self.peer_has_ended = False
        self.peer_has_died = False
        self._changed = trio.Event()

    # the gateway's side

    @property
    def peer(self):
        return "192.0.2.1"

    def send(self, frame):
        if self.is_closed or self.peer_has_died:
            raise BrokenPipeError
        room = self.window_bytes - len(self.unread)
        if room <= 0:
            raise BlockingIOError
        self.unread += bytes(frame[:room])
        self._change()
        return min(room, len(frame))

    def receive(self, bytes_max):
        if self.is_closed or self.peer_has_died:
            raise ConnectionResetError
        if not self.inbound and not self.peer_has_ended:
            raise BlockingIOError
        received = bytes(self.inbound[:bytes_max])
        del self.inbound[:bytes_max]
        return received

    async def wait_writable(self):
        await self._wait(lambda: len(self.unread) < self.window_bytes or self.peer_has_died)

    async def wait_readable(self):
        await self._wait(lambda: self.inbound or self.peer_has_ended or self.peer_has_died)

    async def _wait(self, condition):
        await trio.lowlevel.checkpoint()
        while not self.is_closed and not condition():
            await self._changed.wait()
        if self.is_closed:
            raise trio.ClosedResourceError

    def finish_sending(self):
        self.has_finished_sending = True
        self._change()

    def close(self, *, abort):
        self.was_reset = self.was_reset or (abort and not self.is_closed)
        self.is_closed = True
        self._change()

    # the client's side

    def read(self, bytes_max=1 << 30):
        """Take what has arrived."""
        taken = bytes(self.unread[:bytes_max])
        del self.unread[:bytes_max]
        self._change()
        return taken

    async def read_some(self):
        """Wait for something to arrive; b"" at the end."""
        while not self.unread and not self.is_closed and not self.has_finished_sending:
            await self._changed.wait()
        return self.read()

    def write(self, sent):
        self.inbound += sent
        self._change()

    def hang_up(self):
        self.peer_has_ended = True
        self._change()

    def die(self):
        self.peer_has_died = True
        self._change()

    def _change(self):
        self._changed.set()
        self._changed = trio.Event()
