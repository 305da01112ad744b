"""GPIO v2: the bytes of the request as linux/gpio.h lays them out, and the events it answers."""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgenode.bus import LineEvent, open_line
from edgenode.bus.gpio import EVENT, EventReader
from edgenode.bus.request import GET_LINE_IOCTL, input_config, line_request
from edgenode.bus.wires import Bias, Edge
from edgenode.errors import BusError

# Offsets of struct gpio_v2_line_request (offsetof, 64-bit and 32-bit alike: all is padded).
CONSUMER, FLAGS, NUM_ATTRS, ATTRS, NUM_LINES, EVENT_BUFFER, FD = 256, 288, 296, 320, 560, 564, 588


def asked(edge: Edge, bias: Bias, debounce_us: int = 0) -> bytes:
    return line_request(0, input_config(edge, bias, debounce_us))


def u32(request: bytes, at: int) -> int:
    value: int = struct.unpack_from("<I", request, at)[0]
    return value


def u64(request: bytes, at: int) -> int:
    value: int = struct.unpack_from("<Q", request, at)[0]
    return value


def test_the_ioctl_number_is_iowr_b4_07_of_592_bytes() -> None:
    assert GET_LINE_IOCTL == (3 << 30) | (592 << 16) | (0xB4 << 8) | 0x07


def test_the_request_is_laid_out_as_the_kernel_reads_it() -> None:
    request = line_request(17, input_config("rising", "pull-up", 0), 1024)
    assert len(request) == 592
    assert u32(request, 0) == 17
    assert request[CONSUMER : CONSUMER + 9] == b"edgenode\0"
    assert u64(request, FLAGS) == 1 << 2 | 1 << 4 | 1 << 8
    assert u32(request, NUM_ATTRS) == 0
    assert request[ATTRS:NUM_LINES] == bytes(240)
    assert (u32(request, NUM_LINES), u32(request, EVENT_BUFFER)) == (1, 1024)
    assert request[FD:] == b"\xff\xff\xff\xff"


def test_debounce_is_an_attribute_for_the_kernel() -> None:
    request = line_request(3, input_config("both", "as-is", 5_000), 16)
    assert u64(request, FLAGS) == 1 << 2 | 1 << 4 | 1 << 5
    assert u32(request, NUM_ATTRS) == 1
    assert struct.unpack_from("<IIQQ", request, ATTRS) == (3, 0, 5_000, 1)


def test_falling_edges_and_the_other_biases_have_flags_of_their_own() -> None:
    assert u64(asked("falling", "pull-down"), FLAGS) == 1 << 2 | 1 << 5 | 1 << 9
    assert u64(asked("rising", "disabled"), FLAGS) == 1 << 2 | 1 << 4 | 1 << 10


@pytest.fixture
def line() -> Iterator[tuple[EventReader, int]]:
    reader, writer = os.pipe()
    events = EventReader(reader, "chip line 3")
    yield events, writer
    events.close()


def test_an_event_is_48_bytes_parsed_field_by_field(
    line: tuple[EventReader, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgenode.bus.gpio.suspended_ns", lambda: 5)
    events, writer = line
    assert EVENT.size == 48
    os.write(writer, struct.pack("<QIIII6I", 10**9, 1, 3, 9, 8, *[0] * 6))
    assert events.events() == [LineEvent(10**9 + 5, 1, 3, 9, 8)]
    assert events.line_seqno == 8
    os.close(writer)


def test_reading_never_waits(line: tuple[EventReader, int]) -> None:
    events, writer = line
    assert events.events() == []
    assert events.line_seqno == 0
    os.close(writer)


def test_a_line_that_ends_is_a_bus_error(line: tuple[EventReader, int]) -> None:
    events, writer = line
    os.close(writer)
    with pytest.raises(BusError, match="chip line 3: the line ended"):
        events.events()


def test_closing_twice_closes_nobody_elses_descriptor(line: tuple[EventReader, int]) -> None:
    events, writer = line
    events.close()
    other = os.open("/dev/null", os.O_RDONLY)
    events.close()
    os.fstat(other)
    os.close(other)
    os.close(writer)


def test_the_chip_is_asked_once_and_its_descriptor_is_given_back(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    chip = tmp_path / "gpiochip0"
    chip.touch()
    reader, writer = os.pipe()
    calls = []

    def grant(descriptor: int, code: int, request: bytearray) -> int:
        calls.append((Path(f"/proc/self/fd/{descriptor}").readlink(), code, bytes(request)))
        struct.pack_into("<i", request, FD, reader)
        return 0

    monkeypatch.setattr(fcntl, "ioctl", grant)
    line = open_line(str(chip), 17, "rising", "pull-up", 5000)
    request = line_request(17, input_config("rising", "pull-up", 5000), 1024)
    assert calls == [(chip, GET_LINE_IOCTL, request)]
    assert line.fileno() == reader
    line.close()
    os.close(writer)


def test_a_chip_that_does_not_exist_is_a_bus_error(tmp_path: Path) -> None:
    with pytest.raises(BusError, match="gpiochip9 line 4: No such file"):
        open_line(str(tmp_path / "gpiochip9"), 4)


def test_what_is_no_gpio_chip_is_refused_by_name() -> None:
    with pytest.raises(BusError, match="/dev/null line 4"):
        open_line("/dev/null", 4)
