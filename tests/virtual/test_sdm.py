"""The virtual SDM meter at its terminals: frames, refusals, conduct, and its log of truth."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from drivers import sdm
from drivers.sdm import SDM230, SDM630, SDMOptions
from edgenode.bus import SerialBus
from edgenode.errors import BusTimeout
from edgenode.reading import SerialLine
from edgenode.virtual import Scenario
from edgenode.virtual.sdm import SINGLE_PHASE, THREE_PHASE, SdmSpec, VirtualSDM
from edgenode.virtual.series import Play
from edgenode.virtual.truth import Truth
from tests.support.instruments import street

ASKED = bytes.fromhex("01 04 00 00 00 02 71 CB")
VOLTS = bytes.fromhex("01 04 04 43 66 33 33 5A FA")  # what pymodbus gives for 230.2 V
ALL = bytes.fromhex("01 04 00 00 00 4C F1 FF")
SECOND_NS = 1_000_000_000
Made = Callable[..., VirtualSDM]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "truth.jsonl"


@pytest.fixture
def made(log: Path) -> Iterator[Made]:
    truth = Truth(log)

    def make(**fields: Any) -> VirtualSDM:
        return VirtualSDM(SdmSpec("meter", **{"voltage": Play(offset=230.2), **fields}), truth, 0)

    yield make
    truth.close()


def lines(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


def test_it_answers_the_known_request_with_the_known_answer(made: Made) -> None:
    assert made().hear(ASKED, 0) == VOLTS


def test_a_request_in_pieces_is_answered_once_it_is_whole(made: Made) -> None:
    meter = made()
    answers = [meter.hear(ASKED[n : n + 1], n * 1_000_000) for n in range(8)]
    assert answers == [b""] * 7 + [VOLTS]


def test_half_a_request_is_forgotten_after_silence(made: Made) -> None:
    meter = made()
    meter.hear(ASKED[:5], 0)
    assert meter.hear(ASKED, SECOND_NS) == VOLTS


def test_a_damaged_request_is_answered_by_silence_and_the_next_is_heard(made: Made) -> None:
    meter = made()
    assert meter.hear(ASKED[:-1] + b"\x00", 0) == b""
    assert meter.hear(ASKED, SECOND_NS) == VOLTS


def test_several_on_one_cable_answer_to_their_own_address(made: Made) -> None:
    meters = [made(address=1), made(address=2)]
    assert [meter.hear(ASKED, 0) for meter in meters] == [VOLTS, b""]


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ("01 03 00 00 00 02 C4 0B", "01 83 01"),
        ("01 04 00 00 00 52 71 F7", "01 84 03"),
        ("01 04 00 00 00 00 F0 0A", "01 84 03"),
        ("01 04 00 01 00 02 20 0B", "01 84 02"),
        ("01 04 00 00 00 03 B0 0B", "01 84 02"),
        ("01 04 FF 00 00 02 41 DF", "01 84 02"),
    ],
)
def test_what_it_does_not_give_is_refused_by_an_exception(
    made: Made, asked: str, code: str, log: Path
) -> None:
    assert made().hear(bytes.fromhex(asked), 0)[:3] == bytes.fromhex(code)
    assert log.read_text() == ""


@pytest.mark.parametrize(
    ("action", "fate"), [("nack", "nack"), ("hang", "hang"), ("vanish", "nack")]
)
def test_it_falls_silent_on_command_and_logs_what_it_would_have_said(
    made: Made, log: Path, action: Any, fate: str
) -> None:
    meter = made()
    meter.act(action, 0)
    assert meter.hear(ASKED, 0) == b""
    assert [(line["channel"], line["fate"]) for line in lines(log)] == [("meter/voltage", fate)]
    meter.act("return", 0)
    assert meter.hear(ASKED, SECOND_NS) == VOLTS


def test_garbage_is_as_long_as_the_answer_and_another_each_time(made: Made, log: Path) -> None:
    meter = made()
    meter.act("garbage", 0)
    noise = [meter.hear(ASKED, n * SECOND_NS) for n in range(3)]
    assert {len(one) for one in noise} == {len(VOLTS)}
    assert len({*noise, VOLTS}) == 4
    assert {line["fate"] for line in lines(log)} == {"garbage"}


def test_only_what_was_asked_for_is_in_the_log_as_it_was_sent(made: Made, log: Path) -> None:
    made().hear(ASKED, 5_000_000)
    sent = struct.unpack(">f", VOLTS[3:7])[0]
    assert lines(log) == [{"channel": "meter/voltage", "n": 1, "value": sent, "t": 5, "fate": "ok"}]


@pytest.mark.parametrize(
    ("model", "names"),
    [("sdm120", SINGLE_PHASE), ("sdm230", SINGLE_PHASE), ("sdm630", THREE_PHASE)],
)
def test_a_whole_read_logs_every_quantity_of_the_model(
    made: Made, log: Path, model: str, names: dict[str, int]
) -> None:
    assert len(made(model=model).hear(ALL, 0)) == 5 + 2 * 0x4C
    assert {line["channel"] for line in lines(log)} == {f"meter/{name}" for name in names}


def test_the_energies_grow_with_the_rows_and_survive_the_end_of_the_series(
    made: Made, log: Path
) -> None:
    meter = made(import_from=100.0, export_from=5.0, export_energy=Play(offset=0.25))
    for second in range(0, 2000, 100):
        meter.hear(ALL, second * SECOND_NS)
    for name, first in (("import_energy", 100.0), ("export_energy", 5.0)):
        totals = [line["value"] for line in lines(log) if line["channel"] == f"meter/{name}"]
        assert totals[0] == first
        assert totals == sorted(totals)
        assert totals[-1] > first + 10
    assert totals[-1] == 5 + 0.25 * 1900


def test_what_it_plays_obeys_the_triangle_of_power(made: Made, log: Path) -> None:
    made(model="sdm630").hear(ALL, 7 * SECOND_NS)
    told = {line["channel"].partition("/")[2]: line["value"] for line in lines(log)}
    assert told["power"] == pytest.approx(sum(told[f"power_l{n}"] for n in (1, 2, 3)))
    apparent = math.hypot(told["power"], told["reactive_power"])
    assert told["apparent_power"] == pytest.approx(apparent)
    assert told["power_factor"] == pytest.approx(told["power"] / apparent)


def test_it_never_speaks_by_itself(made: Made) -> None:
    meter = made()
    assert meter.next_ns() is None
    assert meter.speak(SECOND_NS) == b""


def test_the_driver_reads_through_the_real_adapter_what_the_log_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sdm, "GAP_S", 0.0)
    monkeypatch.setattr("edgenode.bus.modbus.ANSWER_S", 10.0)  # a busy machine is no fault
    scenario = Scenario((SdmSpec("one"), SdmSpec("three", address=2, model="sdm630")))
    with street(tmp_path, scenario) as here:
        bus = SerialBus(here.path("meters"))
        for name, model, address in (("one", SDM230, 1), ("three", SDM630, 2)):
            driver = model(bus.lease(SerialLine(9600)), SDMOptions(address=address))
            values = driver.read(0).values
            told = {line["channel"]: line["value"] for line in here.truth()}
            names = [f"{name}/{channel.name}" for channel in driver.channels]
            assert values == tuple(told[each] for each in names)
            driver.close()


def test_at_another_speed_it_is_not_understood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgenode.bus.modbus.ANSWER_S", 0.05)
    with street(tmp_path, Scenario((SdmSpec("old", baud=2400),))) as here:
        lease = SerialBus(here.path("meters")).lease(SerialLine(9600))
        with pytest.raises(BusTimeout, match="no answer; check power, address, baud"):
            SDM230(lease, SDMOptions())
        lease.close()
