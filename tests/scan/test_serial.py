"""How a serial port is listened to and asked, at fake ports: each speed has its own voice."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import pytest

from edgenode.driver import Driver, Found
from edgenode.errors import BadFrame, BusError, BusTimeout, NodeError, WrongDevice
from edgenode.reading import SerialLine
from edgenode.scan import Seen, listening, serial
from edgenode.scan.cable import numbers, on_cable

SLOW, FAST = SerialLine(9600), SerialLine(115_200)


class Port:
    """A port on which something is said at each speed, and which can end."""

    def __init__(self, line: SerialLine, says: Callable[[SerialLine], bytes]) -> None:
        self.line, self.open = line, True
        self._says, self._rest = says, b""

    def receive(self, size: int, timeout_s: float) -> bytes:
        said = self._says(self.line)
        if not said:
            time.sleep(min(timeout_s, 0.005))
        self._rest = said[size:]
        return said[:size]

    def arrived(self) -> bytes:
        said, self._rest = self._rest, b""
        return said

    def fileno(self) -> int:
        return 9 if self.open else -1


class Talker(Driver):
    wire = "serial"
    line: ClassVar[SerialLine | None] = FAST

    @classmethod
    def recognise(cls, heard: bytes) -> Found | None:
        return Found("a talker") if b"hello" in heard else None


class Early(Talker):
    """It is listened to first."""

    line: ClassVar[SerialLine | None] = SLOW

    @classmethod
    def recognise(cls, heard: bytes) -> Found | None:
        del heard
        return None


class Named(Talker):
    """It talks, and says its name when it is asked."""

    @classmethod
    def recognise(cls, heard: bytes) -> Found | None:
        del heard
        return None

    @classmethod
    def identify(cls, wire: Any, sleep: Callable[[float], None] = time.sleep) -> Found | None:
        del wire, sleep
        return Found("a radar of few words")


class Meter(Driver):
    """Meters share a cable: at each address something, or nothing."""

    wire = "serial"
    line: ClassVar[SerialLine | None] = SLOW
    shares: ClassVar[str] = "modbus"
    addresses: ClassVar[tuple[int, ...]] = (1, 2, 3)
    there: ClassVar[dict[int, Found | Exception | None]] = {}
    asked: ClassVar[list[int]] = []

    @classmethod
    def identify(cls, wire: Any, sleep: Callable[[float], None] = time.sleep) -> Found | None:
        del wire, sleep
        raise AssertionError("a part that shares its port is asked by its address")

    @classmethod
    def identify_at(cls, wire: Any, address: int) -> Found | None:
        del wire
        cls.asked.append(address)
        answer = cls.there.get(address, BusTimeout("nobody"))
        if isinstance(answer, Exception):
            raise answer
        return answer


class Other(Meter):
    """Another driver of the same protocol, which knows none of them."""

    asked: ClassVar[list[int]] = []

    @classmethod
    def identify_at(cls, wire: Any, address: int) -> Found | None:
        del wire
        cls.asked.append(address)
        raise BusTimeout("nobody")


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "QUIET_S", 0.03)
    monkeypatch.setattr(listening, "SELDOM_S", 0.3)
    monkeypatch.setattr(serial, "SELDOM_S", 0.3)
    for one in (Meter, Other):
        one.asked.clear()


def scanned(
    monkeypatch: pytest.MonkeyPatch,
    says: Callable[[SerialLine], bytes],
    *drivers: Any,
) -> list[Seen]:
    """Return what is seen on a port where these drivers are all that there are."""

    @contextmanager
    def opened(_: str, line: SerialLine) -> Iterator[Port]:
        yield Port(line, says)

    monkeypatch.setattr(serial, "_opened", opened)
    monkeypatch.setattr(serial, "loadable", lambda: {d.__name__.lower(): d for d in drivers})
    return list(serial.survey_serial("/dev/ttyX", threading.Event()))


def test_noise_is_a_part_at_another_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    def says(line: SerialLine) -> bytes:
        return b"hello" if line == FAST else b"\xff\x80\x7f"

    (seen,) = scanned(monkeypatch, says, Early, Talker)
    assert (seen.driver, seen.line) == ("talker", FAST)


def test_a_part_that_talks_seldom_is_waited_for_where_nobody_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    began = time.monotonic()

    def says(line: SerialLine) -> bytes:
        return b"hello" if line == FAST and time.monotonic() - began > 0.15 else b""

    (seen,) = scanned(monkeypatch, says, Early, Talker, Meter)
    assert seen.driver == "talker"
    assert Meter.asked, "it was asked first"


def test_noise_that_comes_while_others_are_asked_is_no_part(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    began = time.monotonic()

    def says(line: SerialLine) -> bytes:
        return b"hello" if line == FAST and time.monotonic() - began > 0.15 else b""

    monkeypatch.setattr(Meter, "there", dict.fromkeys((1, 2, 3), BadFrame("noise")))
    (seen,) = scanned(monkeypatch, says, Early, Talker, Meter)
    assert seen.driver == "talker"


def test_damaged_answers_are_told_where_nobody_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Meter, "there", {2: BadFrame("noise"), 3: BadFrame("noise")})
    (seen,) = scanned(monkeypatch, lambda _: b"", Early, Talker, Meter)
    assert (seen.driver, seen.place) == ("", "9600 8N1, address 2")
    assert "damaged frames: two parts at one address" in seen.words


def test_a_few_stray_bytes_do_not_keep_a_cable_from_being_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    strays = [b"\0", b"\0"]
    monkeypatch.setattr(Meter, "there", {1: Found("a meter")})
    seen = scanned(monkeypatch, lambda _: strays.pop() if strays else b"", Early, Talker, Meter)
    assert [one.driver for one in seen] == ["meter"]


def test_who_talks_plain_text_is_asked_for_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def says(line: SerialLine) -> bytes:
        return b"-3.4\r\n" if line == FAST else b"\xff\x80\x7f"

    (seen,) = scanned(monkeypatch, says, Early, Named)
    assert (seen.driver, seen.words) == ("named", "a radar of few words")


def test_text_that_nobody_knows_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = scanned(monkeypatch, lambda _: b"T=12.5\r\n", Early, Talker)
    assert len(seen) == 1
    assert "text that no driver here knows: T=12.5" in seen[0].words


def test_what_nobody_knows_at_any_speed_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    (seen,) = scanned(monkeypatch, lambda _: b"\xff\x80", Early, Talker)
    assert seen.driver == ""
    assert "no driver here knows it at 9600 8N1, 115200 8N1: ff 80" in seen.words


def cabled(*addresses: int, of: tuple[type[Meter], ...] = (Meter,), port: Any = None) -> list[Seen]:
    drivers = {one.__name__.lower(): one for one in of}
    wire: Any = port or Port(SLOW, lambda _: b"")
    return list(on_cable(wire, drivers, addresses, threading.Event()))


def test_every_part_on_a_cable_is_found_at_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    there: dict[int, Any] = {1: Found("a meter"), 3: Found("a meter", {"medium": "water"})}
    monkeypatch.setattr(Meter, "there", there)
    first, third = cabled()
    assert (first.place, first.options) == ("9600 8N1, address 1", {"address": 1})
    assert third.options == {"address": 3, "medium": "water"}


def test_an_address_that_is_silent_is_asked_by_one_driver_of_a_protocol() -> None:
    assert cabled(of=(Meter, Other)) == []
    assert (Meter.asked, Other.asked) == ([1, 2, 3], [])


def test_other_addresses_are_asked_where_somebody_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Meter, "there", {17: Found("a meter")})
    assert cabled() == []
    assert [one.options["address"] for one in cabled(16, 17)] == [17]


def test_at_a_speed_that_is_not_the_usual_one_only_the_usual_address_is_asked() -> None:
    cabled(port=Port(SerialLine(2400), lambda _: b""))
    assert Meter.asked == [1]


def test_a_modbus_part_without_a_driver_is_told_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Meter, "there", {2: WrongDevice("no such registers")})
    (seen,) = cabled(of=(Meter, Other))
    assert (seen.driver, seen.place) == ("", "9600 8N1, address 2")
    assert 'driver = "modbus"' in seen.words


def test_a_meter_that_answers_to_two_addresses_is_one_meter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alone = Found("a meter", {"address": 2})
    monkeypatch.setattr(Meter, "there", {1: alone, 2: alone})
    assert len(cabled()) == 1


def test_a_port_that_ends_while_it_is_asked_is_at_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    port = Port(SLOW, lambda _: b"")
    port.open = False
    monkeypatch.setattr(Meter, "there", {1: BusError("unplugged")})
    with pytest.raises(BusError, match="unplugged"):
        cabled(port=port)


def test_addresses_are_read_as_people_write_them() -> None:
    assert numbers("1-4,9, 3") == (1, 2, 3, 4, 9)


@pytest.mark.parametrize("text", ["", "x", "5-1", "0-251", "-3", "1-2-3"])
def test_addresses_that_cannot_be_are_refused(text: str) -> None:
    with pytest.raises(NodeError, match="write addresses"):
        numbers(text)
