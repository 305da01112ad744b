"""The newest frame of a part that talks by itself, and how old it is.

A frame is about the moment in which it was taken in. What queued up while nobody listened is
thrown away, never taken for new.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

from edgenode.bus.wires import SerialPort
from edgenode.errors import BadFrame, BusTimeout


class Cutter(Protocol):
    """Cuts a stream into frames, as edgenode.bus.frames.Frames and edgenode.bus.lines.Lines do."""

    def cut(self, data: bytes) -> list[bytes]:
        """Take in bytes; return the frames that are whole now, oldest first."""
        ...

    def clear(self) -> None:
        """Forget the beginning of a frame, if there is one."""
        ...


class Talk(NamedTuple):
    """How a part talks, in boot-time ms but for `opening_s`, and what to say when it does not."""

    part: str
    silent_ms: int  # without a frame for so long, the part is lost
    unheard_ms: int  # what queued up for longer is thrown away
    gap_ms: int  # longer than a frame takes: what is no frame by then never will be
    opening_s: float  # how long to wait for the first frame; 0 where it may take too long
    if_silent: str  # what to check where no byte comes
    if_noisy: str  # what to check where bytes come that are no frame
    wake: bytes = b""  # what makes a silent part talk


def lumps(port: SerialPort, clock: Callable[[], float], within_s: float) -> Iterator[bytes]:
    """Yield what comes on a port within so long, as it comes; nothing at its end. Raises BusError.

    Whoever has heard enough stops.
    """
    deadline = clock() + within_s
    while (left_s := deadline - clock()) > 0:
        yield port.receive(1, left_s) + port.arrived()


class Newest:
    """Listens to one port, from its construction on; used by the thread of its bus.

    `takes` is asked about each frame: False refuses it as noise, and it may raise WrongDevice.
    Constructing waits for the first frame. Raises BusError, WrongDevice, and where no frame came
    BadFrame if there was noise, else BusTimeout; then it sends `wake`, for the next opening.
    A part that seldom speaks is not waited for: `frame` is empty until it has.
    """

    def __init__(
        self,
        port: SerialPort,
        cutter: Cutter,
        talk: Talk,
        clock: Callable[[], float],
        takes: Callable[[bytes], bool] = bool,
    ) -> None:
        self._port, self._cutter, self._talk = port, cutter, talk
        self._clock, self._takes = clock, takes
        self.frame = b""  # the newest
        self._unproved = 0  # bytes since then
        port.discard()  # what came before is about some other time
        if talk.opening_s:
            self._await_frame()
        self._opened_s: float | None = clock()
        self._newest_ms = self._heard_ms = self._fed_ms = 0

    def fileno(self) -> int:
        """Return the port's descriptor, readable when the part has spoken."""
        return self._port.fileno()

    def feed(self, now_ms: int) -> list[bytes]:
        """Take in what was said; return its frames, oldest first. Raises BusError, WrongDevice."""
        self._begin(now_ms)
        unheard_ms, self._fed_ms = now_ms - self._fed_ms, now_ms
        if unheard_ms > self._talk.unheard_ms:  # nobody can tell how old it is
            self._cutter.clear()
            self._port.discard()
            return []
        data = self._port.arrived()
        if not data:
            return []
        if now_ms - self._heard_ms > self._talk.gap_ms:
            self._cutter.clear()  # or it would hold a whole frame back until the next one comes
        self._heard_ms = now_ms
        frames = self._cut(data)
        if frames:
            self._newest_ms = now_ms
        return frames

    def age_ms(self, now_ms: int) -> int:
        """Return the age of the newest frame. Raises BusTimeout or BadFrame if it is too old."""
        age_ms = now_ms - self._newest_ms
        if age_ms > self._talk.silent_ms:
            raise self._nothing(f"for {age_ms // 1000} s")
        return age_ms

    def close(self) -> None:
        """Give the port back; the part goes on talking to nobody."""
        self._port.close()

    def _begin(self, now_ms: int) -> None:
        """With the first call: put the moment of opening into the time of the bus thread."""
        if self._opened_s is None:
            return
        opened_ms = now_ms - int((self._clock() - self._opened_s) * 1000)
        self._newest_ms = self._heard_ms = self._fed_ms = opened_ms
        self._opened_s = None

    def _await_frame(self) -> None:
        if any(map(self._cut, lumps(self._port, self._clock, self._talk.opening_s))):
            return
        if not self._unproved and self._talk.wake:
            self._port.write(self._talk.wake)
        raise self._nothing(f"within {self._talk.opening_s:.0f} s")

    def _cut(self, data: bytes) -> list[bytes]:
        self._unproved += len(data)
        frames = [frame for frame in self._cutter.cut(data) if self._takes(frame)]
        if frames:
            self.frame, self._unproved = frames[-1], 0
        return frames

    def _nothing(self, since: str) -> BadFrame | BusTimeout:
        talk = self._talk
        if self._unproved:
            words = f"{self._unproved} bytes and no whole frame {since}"
            return BadFrame(f"{talk.part}: {words}; {talk.if_noisy}")
        return BusTimeout(f"{talk.part}: silent {since}; {talk.if_silent}")
