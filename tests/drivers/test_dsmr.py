"""DSMR P1: versions, whose time it is, what is late, and what never leaves the node."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from drivers.dsmr import DEVICES, DSMR, LINE, DSMROptions, decode
from edgenode.bus.p1 import TELEGRAM_MOST, Telegram, Telegrams, crc16, moment
from edgenode.bus.parity import with_parity
from edgenode.errors import BadFrame, BusError, BusTimeout
from edgenode.reading import Kind, Quality
from tests.drivers.known_dsmr import ANSWERS, OLD, OLD_ANSWERS, OPTIONS, TELEGRAM
from tests.support.fake_serial import FakeSerial

BODY = TELEGRAM[: -len(b"6EEE\r\n")]


def signed(body: bytes) -> bytes:
    return body + b"%04X\r\n" % crc16(body)


def changed(old: bytes, new: bytes) -> bytes:
    assert old in BODY
    return BODY.replace(old, new)


def port() -> FakeSerial:
    made = FakeSerial()
    made.line = LINE
    return made


def opened(wire: FakeSerial, **options: Any) -> DSMR:
    sensor = DSMR(wire, msgspec.convert(options, DSMROptions), wire.clock)
    sensor.feed(0)
    return sensor


def values(body: bytes, **options: Any) -> dict[str, float | None]:
    chosen = msgspec.convert({"phases": 3, "devices": ["gas"], **options}, DSMROptions)
    names = [channel.name for channel in DSMR.declare(chosen)]
    return dict(zip(names, decode(body, chosen).values, strict=True))


def test_the_published_telegram_has_the_published_checksum_and_values() -> None:
    assert crc16(BODY) == 0x6EEE
    assert decode(BODY, OPTIONS).values == ANSWERS
    assert decode(OLD, DSMROptions(version=3, devices=("gas",))).values == OLD_ANSWERS


def test_a_digit_that_changed_on_its_way_costs_the_telegram() -> None:
    assert Telegrams(5).cut(TELEGRAM.replace(b"004.426", b"004.427")) == []


def test_a_printed_total_goes_before_the_sum_of_the_tariffs() -> None:
    body = changed(b"1-0:1.8.1(", b"1-0:1.8.0(000099.000*kWh)\r\n1-0:1.8.1(")
    assert values(body)["import_energy"] == 99.0
    assert values(body)["import_energy_t1"] == 4.426


def test_a_total_of_which_a_tariff_cannot_be_read_is_none() -> None:
    found = values(changed(b"000002.399*kWh", b"------.---*kWh"))
    assert found["import_energy_t2"] is None
    assert found["import_energy"] is None
    assert found["export_energy"] == 2.444


def test_a_value_in_a_unit_that_it_cannot_have_is_none() -> None:
    assert values(changed(b"0230.0*V)\r\n1-0:52", b"0230.0*A)\r\n1-0:52"))["voltage_l1"] is None


def test_a_device_that_was_not_read_for_hours_is_stale_by_the_clock_of_the_meter() -> None:
    for told, how in (
        (b"170102172002W", Quality.OK),
        (b"170102172001W", Quality.STALE),
        (b"170102182002S", Quality.OK),  # summer time is an hour ahead
        (b"170102182001S", Quality.STALE),
    ):
        assert decode(changed(b"170102161005W", told), OPTIONS).quality[-1] is how, told


def test_a_device_that_was_never_read_has_no_value() -> None:
    body = changed(b"(170102161005W)(00000.107*m3)", b"(632525252525S)(00000.000*m3)")
    sample = decode(body, OPTIONS)
    assert (sample.values[-1], sample.quality[-1]) == (None, Quality.MISSING)


def test_of_an_exchanged_meter_that_is_still_listed_the_newer_one_is_read() -> None:
    new = b"0-2:24.1.0(003)\r\n0-2:24.2.1(170102190005W)(00001.500*m3)\r\n!"
    assert values(changed(b"!", new))["gas_volume"] == 1.5


def test_belgian_gas_that_is_not_corrected_is_read_too() -> None:
    assert values(changed(b"0-1:24.2.1", b"0-1:24.2.3"))["gas_volume"] == 0.107


def test_heat_in_a_unit_that_is_no_energy_is_a_fault() -> None:
    body = changed(b"0-1:24.1.0(003)", b"0-1:24.1.0(004)")
    sample = decode(body, DSMROptions(devices=("heat",)))
    assert (sample.values[-1], sample.quality[-1]) == (None, Quality.FAULT)


def test_totals_are_counters_and_nothing_else_is() -> None:
    for channel in DSMR.channels:
        total = channel.name.partition("_t")[0].endswith(("energy", "volume"))
        assert (channel.kind is Kind.COUNTER) == total, channel.name


def test_options_choose_what_is_told_and_a_device_named_twice_counts_once() -> None:
    small = DSMR.declare(DSMROptions(version=4, tariffs=0, devices=("gas", "gas")))
    assert [channel.name for channel in small] == [
        *("import_energy", "export_energy", "import_power", "export_power"),
        *("current_l1", "power_l1", "gas_volume"),
    ]
    assert len(DSMR.channels) == 2 + 4 + 2 + 9 + len(DEVICES)


def test_numbers_of_equipment_are_in_nothing_that_it_says() -> None:
    wire = port()
    sensor = opened(wire, phases=3, devices=["gas"])
    wire.say(TELEGRAM)
    sensor.feed(10)
    said = repr((sensor.read(20), DSMR.recognise(TELEGRAM), sensor.measures()))
    assert "4B38" not in said
    assert "MT382" not in said


def test_each_total_has_the_number_of_its_own_meter_so_that_an_exchange_is_noticed() -> None:
    wire = port()
    sensor = opened(wire, devices=["gas", "water"])
    assert sensor.identities() == {}, "before the first telegram nobody is known"
    wire.say(TELEGRAM)
    sensor.read(20)
    named = sensor.identities()
    assert named["import_energy"] == named["export_energy_t2"] == "4B384547303034303436333935353037"
    assert named["gas_volume"] == "3232323241424344313233343536373839"
    assert named["water_volume"] == ""
    assert set(named) == {c.name for c in sensor.measures() if c.kind is Kind.COUNTER}
    wire.say(signed(changed(b"0-1:96.1.0(32", b"0-1:96.1.0(33")))
    sensor.read(40)
    assert sensor.identities()["gas_volume"].startswith("33")
    belgian = changed(b"0-1:96.1.0(32", b"0-1:96.1.1(34")
    wire.say(signed(belgian))
    sensor.read(60)
    assert sensor.identities()["gas_volume"].startswith("34")


def test_nothing_is_said_before_the_first_telegram_and_a_silent_meter_is_lost() -> None:
    wire = port()
    sensor = opened(wire)
    first = sensor.read(5_000)
    assert set(first.values) == {None}
    assert set(first.quality) == {Quality.SETTLING}
    with pytest.raises(BusTimeout, match="data request"):
        sensor.read(10_001)


def test_what_has_no_whole_telegram_is_noise_and_says_what_to_check() -> None:
    wire = port()
    sensor = opened(wire)
    for now_ms in range(1_000, 11_000, 1_000):
        wire.say(b"\xff\x3f" * 200)
        sensor.feed(now_ms)
    with pytest.raises(BadFrame, match="the signal is inverted"):
        sensor.read(11_000)


def test_version_4_may_be_silent_for_nearly_ten_seconds_and_is_not_stale() -> None:
    wire = port()
    sensor = opened(wire, version=4)
    wire.say(signed(changed(b"0.2.8(50)", b"0.2.8(42)")))
    sensor.feed(10)
    assert Quality.STALE not in sensor.read(9_900).quality
    assert Quality.STALE in sensor.read(26_000).quality
    with pytest.raises(BusTimeout):
        sensor.read(41_000)


def test_an_old_meter_is_heard_at_9600_baud_and_its_parity_is_checked() -> None:
    wire = port()
    sensor = opened(wire, version=2, devices=["gas"])
    assert wire.bauds == [9600]
    said = with_parity(OLD)
    wire.say(said[:200] + bytes((said[200] ^ 4,)) + said[201:])
    sensor.feed(100)
    assert sensor.read(101).quality[0] is Quality.SETTLING, "one character was damaged"
    wire.say(said)
    sensor.feed(200)
    assert sensor.read(201).values == OLD_ANSWERS


def test_a_speed_that_the_bus_was_given_is_left_and_a_parity_is_refused() -> None:
    wire = port()
    wire.line = wire.line._replace(baud=2400)
    opened(wire, version=2)
    assert wire.bauds == []
    wire.line = wire.line._replace(parity="even")
    with pytest.raises(BusError, match="leave parity out"):
        opened(wire, version=2)


def test_a_scan_finds_out_the_options() -> None:
    four = changed(b"0.2.8(50)", b"0.2.8(42)").replace(b"24.1.0(003)", b"24.1.0(007)")
    found = DSMR.recognise(b"garbage" + signed(four) + TELEGRAM[:100])
    assert found
    assert found.options == {"version": 4, "phases": 3, "devices": ["water"]}
    assert DSMR.recognise(BODY) is None


def test_a_text_without_an_end_is_kept_no_further_than_the_longest_telegram() -> None:
    cutter = Telegrams(5)
    for _ in range(100):
        assert cutter.cut(b"/ABC5" + b"x" * 995) == []
    assert len(cutter._kept) == TELEGRAM_MOST
    assert cutter.cut(b"!0000\r\n" + TELEGRAM) == [BODY]


def test_a_time_that_is_none_is_none() -> None:
    for text in ("", "17010219200", "171302192002W", "170102192002X", "1701021920020"):
        assert moment(text) is None, text


def test_a_line_that_is_no_register_is_left_out() -> None:
    body = changed(b"1-3:0.2.8(50)", b"(((((\r\n))))\r\n1-3:0.2.8(50")
    assert Telegram(body).total(1) == 4.426 + 2.399
