"""The server half of simulated wires: one thread, every instrument, one socket to command them."""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Self, TypeVar

import msgspec

from edgenode.bus.simulated import PACKET_MAX
from edgenode.virtual.cable import Plugged, SerialDoor
from edgenode.virtual.conduct import boot_ns
from edgenode.virtual.control import LINE_MAX, command, send_command
from edgenode.virtual.doors import Door, I2CDoor, LineDoor, OutputDoor, Place, refuse
from edgenode.virtual.instruments import I2C, LINES, OUTPUTS, SERIAL, Kinds
from edgenode.virtual.kinds import Action, Hello, Instrument
from edgenode.virtual.loop import Loop
from edgenode.virtual.scenario import Scenario, place
from edgenode.virtual.truth import Truth

__all__ = ["Server", "send_command"]

Made = TypeVar("Made", bound=Instrument)
WAIT_MOST_S: Final = 1.0


class Server:
    """Instruments of a scenario behind a Unix socket, `sim:SOCKET#BUS` for the node.

    Opens its sockets when made; `run` serves until `stop`, a context manager closes.
    Raises OSError where a socket or the log cannot be opened.
    """

    def __init__(
        self,
        scenario: Scenario,
        path: Path,
        truth: Path,
        control: Path | None = None,
        now_ns: Callable[[], int] = boot_ns,
    ) -> None:
        self._now_ns = now_ns
        self._start_ns = now_ns()
        self._scenario = scenario
        self._truth = Truth(truth)
        self._loop = Loop()
        self.instruments: dict[str, Instrument] = {}
        self._stands: dict[str, tuple[str, Place]] = {}  # by sensor: its door, and where there
        self._doors = self._built()
        self._buses = {spec.sensor: spec.bus for spec in scenario.instrument}
        self._plan = sorted(scenario.misbehaviour, key=lambda event: -event.at_s)
        self._stopping = False
        self._paths = [path, *([control] if control else [])]
        self._loop.listen(path, socket.SOCK_SEQPACKET, self._hello)
        if control:
            self._loop.listen(control, socket.SOCK_STREAM, self._commands)

    def run(self) -> None:
        """Serve until `stop` is called."""
        while not self._stopping:
            self._serve_once()

    def stop(self) -> None:
        """End `run`; any thread or signal handler may call it."""
        self._stopping = True
        self._loop.wake()

    def act(self, sensor: str, action: Action) -> None:
        """Make an instrument misbehave, or behave; the thread of `run` alone calls it."""
        door, at = self._stands[sensor]
        self.instruments[sensor].act(action, self._now_ns())
        self._doors[door].acted(at, action)

    def close(self) -> None:
        """Close every connection and remove the sockets."""
        self._loop.close()
        for door in self._doors.values():
            door.close()
        for path in self._paths:
            path.unlink(missing_ok=True)
        self._truth.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _built(self) -> dict[str, Door]:
        """Make every instrument, and the doors of all wires by the names that a hello gives."""
        serial = {
            at: Plugged(one, getattr(spec, "baud", 9600), getattr(spec, "parity", "none"))
            for at, (spec, one) in self._made("serial", SERIAL).items()
        }
        return {
            "i2c": I2CDoor(self._loop, _only(self._made("i2c", I2C)), self._now_ns),
            "input": LineDoor(self._loop, _only(self._made("input", LINES)), self._now_ns),
            "output": OutputDoor(self._loop, _only(self._made("output", OUTPUTS)), self._now_ns),
            "serial": SerialDoor(self._loop, serial, self._now_ns),
        }

    def _made(self, door: str, kinds: Kinds[Made]) -> dict[Place, tuple[Any, Made]]:
        found = {}
        for spec in self._scenario.instrument:
            if type(spec) in kinds:
                made = kinds[type(spec)](spec, self._truth, self._start_ns)
                self.instruments[spec.sensor] = made
                self._stands[spec.sensor] = door, place(spec)
                found[place(spec)] = spec, made
        return found

    def _serve_once(self) -> None:
        self._loop.wait(self._until_next_s())
        now_ns = self._now_ns()
        while self._plan and self._start_ns + self._plan[-1].at_s * 1e9 <= now_ns:
            event = self._plan.pop()
            self.act(event.sensor, event.do)
        for door in self._doors.values():
            door.advance(now_ns)

    def _until_next_s(self) -> float:
        times = [at for door in self._doors.values() if (at := door.next_ns()) is not None]
        if self._plan:
            times.append(self._start_ns + int(self._plan[-1].at_s * 1e9))
        wait_s = (min(times) - self._now_ns()) / 1e9 if times else WAIT_MOST_S
        return min(max(wait_s, 0.0), WAIT_MOST_S)

    def _hello(self, connection: socket.socket) -> None:
        data = self._loop.packet(connection, PACKET_MAX)
        try:
            hello = msgspec.json.decode(data, type=Hello)
        except msgspec.DecodeError:  # no hello, or nothing at all: it has gone
            self._loop.drop(connection)
            return
        self._loop.hand_over(connection, self._unserved)
        self._doors[hello.direction if hello.wire == "gpio" else hello.wire].open(connection, hello)

    def _unserved(self, connection: socket.socket) -> None:
        """Whoever was refused, or is left without an answer, may only leave."""
        if self._loop.packet(connection, PACKET_MAX):
            refuse(connection, errno.ENODEV)
        else:
            self._loop.drop(connection)

    def _commands(self, connection: socket.socket) -> None:
        data = self._loop.packet(connection, LINE_MAX)
        if not data:
            self._loop.drop(connection)
        for line in data.splitlines():
            answer = command(self._buses, line, self.act)
            with contextlib.suppress(OSError):  # who no longer listens is dropped when it closes
                connection.send(answer)


def _only(made: Mapping[Place, tuple[Any, Made]]) -> dict[Place, Made]:
    return {at: one for at, (_, one) in made.items()}
