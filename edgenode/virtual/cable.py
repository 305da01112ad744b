"""The server's side of serial ports: one cable each, on which all hear what the node says."""

from __future__ import annotations

import array
import contextlib
import errno
import fcntl
import random
import socket
import termios
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from edgenode.virtual.doors import Place, Quiet, refuse, send_descriptor
from edgenode.virtual.kinds import Action, Hello, SerialInstrument
from edgenode.virtual.loop import Loop

HEARD_MAX: Final = 4096
QUEUE_MOST: Final = 4095  # bytes that wait in a tty: N_TTY_BUF_SIZE of the kernel, less one
SEED: Final = 9600  # what a wrong speed makes of bytes is the same every time


@dataclass(frozen=True, slots=True)
class Plugged:
    """One instrument on a cable, and the speed and parity at which it is understood.

    An instrument that changes its speed tells it as `baud`.
    """

    instrument: SerialInstrument
    baud: int = 9600
    parity: str = "none"

    @property
    def speaks(self) -> tuple[int, str]:
        """Its speed and parity at the moment."""
        return getattr(self.instrument, "baud", self.baud), self.parity


class Cable:
    """One serial port with everything that stands on it; open at most once.

    It is gone once all that stands on it has vanished, as an adapter that was unplugged.
    """

    def __init__(self, plugged: Mapping[Place, Plugged]) -> None:
        self._plugged = plugged
        self._vanished: set[Place] = set()
        self._ends: tuple[socket.socket, socket.socket] | None = None  # ours, the node's
        self._hello = Hello("serial")
        self._random = random.Random(SEED)  # noqa: S311 - noise on a wire, not a secret

    def connect(self, hello: Hello) -> tuple[socket.socket, socket.socket] | int:
        """Return our end and the node's, or the error number that refuses it."""
        if len(self._vanished) == len(self._plugged):
            return errno.ENODEV
        if self._ends is not None:
            return errno.EBUSY
        self._hello = hello
        self._ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        self._ends[0].setblocking(False)
        return self._ends

    def retune(self, hello: Hello) -> None:
        """Go on at the speed of this hello."""
        self._hello = hello

    def disconnect(self) -> None:
        """End the stream, as the node or the cable has; safe to call twice."""
        ends, self._ends = self._ends, None
        for end in ends or ():
            end.close()

    def acted(self, place: Place, action: Action) -> bool:
        """Note who has vanished; return whether the port is gone."""
        if action == "vanish":
            self._vanished.add(place)
        else:
            self._vanished.discard(place)
        return len(self._vanished) == len(self._plugged)

    def heard(self, data: bytes, now_ns: int) -> None:
        """Let everybody hear what the node said, and send what they answer at once."""
        for plugged in self._present():
            answer = plugged.instrument.hear(self._carried(data, plugged), now_ns)
            self._say(self._carried(answer, plugged))

    def next_ns(self) -> int | None:
        """Return when somebody says something by itself; None for never."""
        times = (plugged.instrument.next_ns() for plugged in self._present())
        return min((at for at in times if at is not None), default=None)

    def advance(self, now_ns: int) -> None:
        """Let them say what is due; where the port is not open nobody hears it."""
        for plugged in self._present():
            due = plugged.instrument.next_ns()
            if due is not None and due <= now_ns:
                self._say(self._carried(plugged.instrument.speak(now_ns), plugged))

    def _present(self) -> list[Plugged]:
        return [plugged for place, plugged in self._plugged.items() if place not in self._vanished]

    def _carried(self, data: bytes, plugged: Plugged) -> bytes:
        """Return what the other end makes of bytes: nonsense where the settings differ."""
        same = (self._hello.baud, self._hello.parity) == plugged.speaks
        return data if same else self._random.randbytes(len(data))

    def _say(self, data: bytes) -> None:
        """Queue bytes for the node; what its tty has no room for is lost."""
        if self._ends is None or not data:
            return
        ours, nodes = self._ends
        waiting = array.array("i", [0])
        fcntl.ioctl(nodes, termios.FIONREAD, waiting)
        room = max(0, QUEUE_MOST - waiting[0])
        with contextlib.suppress(OSError):  # it has just closed the port
            ours.send(data[:room])


class SerialDoor(Quiet):
    """Serial ports; a port is closed when its connection is."""

    def __init__(
        self, loop: Loop, plugged: Mapping[Place, Plugged], now_ns: Callable[[], int]
    ) -> None:
        self._loop, self._now_ns = loop, now_ns
        self._cables = {
            bus: Cable({place: one for place, one in plugged.items() if place[0] == bus})
            for bus, _ in plugged
        }
        self._open: dict[str, tuple[socket.socket, socket.socket]] = {}  # connection, our end

    def open(self, connection: socket.socket, hello: Hello) -> None:
        cable = self._cables.get(hello.bus)
        ends = cable.connect(hello) if cable else errno.ENODEV
        if cable is None or isinstance(ends, int):
            refuse(connection, ends if isinstance(ends, int) else errno.ENODEV)
            return
        ours, nodes = ends
        self._open[hello.bus] = connection, ours
        self._loop.hand_over(connection, lambda _: self._asked(cable, hello.bus, connection))
        self._loop.add(ours, lambda _: self._heard(cable, hello.bus))
        send_descriptor(connection, nodes.fileno())

    def acted(self, place: Place, action: Action) -> None:
        cable = self._cables.get(place[0])
        if cable is not None and cable.acted(place, action):
            self._cut(place[0])

    def next_ns(self) -> int | None:
        times = (cable.next_ns() for cable in self._cables.values())
        return min((at for at in times if at is not None), default=None)

    def advance(self, now_ns: int) -> None:
        for cable in self._cables.values():
            cable.advance(now_ns)

    def close(self) -> None:
        for cable in self._cables.values():
            cable.disconnect()

    def _heard(self, cable: Cable, bus: str) -> None:
        data = self._loop.packet(self._open[bus][1], HEARD_MAX)
        if data:
            cable.heard(data, self._now_ns())
        else:
            self._cut(bus)

    def _asked(self, cable: Cable, bus: str, connection: socket.socket) -> None:
        """Set the speed that is asked for, or end with the connection.

        The port is free before its connection ends: who waits for that may open it again.
        """
        packet = self._loop.packet(connection, HEARD_MAX)
        mine = self._open.get(bus, (None,))[0] is connection
        if packet:
            refuse(connection, _retuned(cable, packet) if mine else errno.ENODEV)
            return
        if mine:
            self._cut(bus)
        self._loop.drop(connection)

    def _cut(self, bus: str) -> None:
        """End the stream; the node reads the end of it."""
        opened = self._open.pop(bus, None)
        if opened is not None:
            self._loop.remove(opened[1])
            self._cables[bus].disconnect()


def _retuned(cable: Cable, packet: bytes) -> int:
    """Set the speed of the hello in a packet; return 0, or the error number where it is none."""
    try:
        cable.retune(msgspec.json.decode(packet, type=Hello))
    except msgspec.DecodeError:
        return errno.EINVAL
    return 0
