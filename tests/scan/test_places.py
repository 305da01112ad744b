"""What a scan looks at, and what it leaves alone."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from edgenode.bus import ports
from edgenode.errors import BusStuck, NodeError
from edgenode.scan import Seen, Wire, i2c, survey, wires
from edgenode.scan.gpio import spans
from edgenode.scan.places import kernel_driver, wire_of


def test_every_bus_port_and_chip_of_a_board_is_a_wire(tmp_path: Path) -> None:
    for name in ("i2c-10", "i2c-1", "gpiochip0", "tty0", "ttyS0", "ttyUSB0", "ttyAMA0"):
        (tmp_path / name).touch()
    (tmp_path / "serial0").symlink_to("ttyAMA0")
    by_id = tmp_path / "serial" / "by-id"
    by_id.mkdir(parents=True)
    (by_id / "usb-meter").symlink_to("../../ttyUSB0")
    assert wires(str(tmp_path)) == [
        Wire("i2c", f"{tmp_path}/i2c-1"),
        Wire("i2c", f"{tmp_path}/i2c-10"),
        Wire("gpio", f"{tmp_path}/gpiochip0"),
        Wire("serial", f"{by_id}/usb-meter"),
        Wire("serial", f"{tmp_path}/serial0"),
        Wire("sysfs", "/"),
    ]


@pytest.mark.parametrize(
    ("text", "wire"),
    [
        ("/dev/i2c-1", Wire("i2c", "/dev/i2c-1")),
        ("/dev/gpiochip4", Wire("gpio", "/dev/gpiochip4")),
        ("/dev/ttyUSB0", Wire("serial", "/dev/ttyUSB0")),
        ("i2c=sim:/run/w#a=b", Wire("i2c", "sim:/run/w#a=b")),
        ("/", Wire("sysfs", "/")),
    ],
)
def test_a_wire_is_known_by_its_device_or_by_what_is_said(text: str, wire: Wire) -> None:
    assert wire_of(text) == wire


def test_a_wire_that_cannot_be_known_says_how_to_name_it() -> None:
    with pytest.raises(NodeError, match="write KIND=PATH"):
        wire_of("sim:/run/w#a")


def test_what_the_kernel_holds_is_left_to_it(tmp_path: Path) -> None:
    device = tmp_path / "bus" / "i2c" / "devices" / "1-0068"
    device.mkdir(parents=True)
    (tmp_path / "rtc-ds1307").mkdir()
    (device / "driver").symlink_to(tmp_path / "rtc-ds1307")
    assert kernel_driver("/dev/i2c-1", 0x68, str(tmp_path)) == "rtc-ds1307"
    assert kernel_driver("/dev/i2c-1", 0x69, str(tmp_path)) == ""


def test_addresses_known_to_be_dangerous_are_never_touched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []

    def answers(_: str, address: int) -> bool:
        asked.append(address)
        return False

    monkeypatch.setattr(i2c, "i2c_answers", answers)
    assert list(i2c.survey_i2c("/dev/i2c-9", threading.Event())) == []
    assert len(asked) == 0x78 - 0x08 - 16
    assert not set(asked) & {*range(0x30, 0x38), *range(0x50, 0x58), *range(8), *range(0x78, 0x80)}


def test_a_bus_that_is_held_is_told_and_the_others_are_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def answers(path: str, _: int) -> bool:
        if path == "/dev/i2c-1":
            raise BusStuck("held")
        return False

    monkeypatch.setattr(i2c, "i2c_answers", answers)
    asked = [Wire("i2c", "/dev/i2c-1"), Wire("i2c", "/dev/i2c-2")]
    held, free = survey(asked, threading.Event())
    assert (held.problem, free.problem) == ("held", "")


def test_a_scan_that_is_stopped_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    stop = threading.Event()
    asked = []

    def answers(_: str, address: int) -> bool:
        asked.append(address)
        stop.set()
        return False

    monkeypatch.setattr(i2c, "i2c_answers", answers)
    assert [one.seen for one in survey([Wire("i2c", "/dev/i2c-1")], stop)] == [()]
    assert len(asked) == 1


def test_numbers_are_written_as_people_do() -> None:
    assert spans([0, 1, 2, 3, 7, 9, 10]) == "0-3, 7, 9-10"
    assert spans([]) == ""


def test_ports_of_a_pc_that_lead_nowhere_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "ttyS0").touch()
    assert ports.ports(str(tmp_path)) == []


class Multiplexer:
    """One byte, which says which branches are connected."""

    def __init__(self, mask: int) -> None:
        self.mask, self.masks = mask, [mask]

    def transfer(self, data: bytes, length: int) -> bytes:
        if data:
            self.mask = data[-1]
            self.masks.append(self.mask)
        return bytes((self.mask,)) * length

    def read(self, register: int, length: int) -> bytes:
        return self.transfer(bytes((register,)), length)

    def close(self) -> None:
        """Nothing is open."""


def scanned(chip: Multiplexer, monkeypatch: pytest.MonkeyPatch) -> Seen:
    monkeypatch.setattr(i2c, "i2c_answers", lambda _path, address: address == 0x76)
    monkeypatch.setattr(i2c, "open_i2c", lambda _path, _address: chip)
    (seen,) = i2c.survey_i2c("/dev/i2c-9", threading.Event())
    return seen


def test_the_branches_of_a_multiplexer_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    chip = Multiplexer(0x04)
    assert "multiplexer" in scanned(chip, monkeypatch).words
    assert set(chip.masks) == {0x04}


def test_a_multiplexer_without_branches_has_none_afterwards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chip = Multiplexer(0)
    assert scanned(chip, monkeypatch).driver == ""
    assert chip.mask == 0


def test_a_clock_that_the_kernel_holds_is_set_by_hwclock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(i2c, "i2c_answers", lambda *_: False)
    holders = {0x68: "rtc-ds1307", 0x76: "bmp280"}
    monkeypatch.setattr(i2c, "kernel_driver", lambda _path, address: holders.get(address, ""))
    clock, weather = i2c.survey_i2c("/dev/i2c-9", threading.Event())
    assert "hwclock" in clock.words
    assert "iio" in weather.words
