"""IEC 62056-21: which registers are taken, how a readout fails, and what never leaves the node."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from drivers.iec62056 import IEC62056, IEC62056Options, decode
from edgenode.bus import iec62056 as room
from edgenode.bus.iec62056 import BLOCK_MOST, Blocks, Reader, identification
from edgenode.bus.obis import amount, in_unit
from edgenode.bus.parity import with_parity, without_parity
from edgenode.errors import BadFrame, BusError, BusTimeout
from edgenode.reading import Kind, Quality, SerialLine
from tests.drivers.known_iec62056 import ANSWERS, BLOCKS, CODES, TEXT, Listening, read_out
from tests.support.beds import Bed, Cable
from tests.support.fake_serial import FakeSerial

LINE = SerialLine(300)


def options(*registers: Any, **rest: Any) -> IEC62056Options:
    chosen = [{"code": one} if isinstance(one, str) else one for one in registers]
    return msgspec.convert({"registers": chosen, **rest} if chosen else rest, IEC62056Options)


def opened(bed: Bed, **spec: Any) -> tuple[IEC62056, Cable]:
    wire = Cable(bed, Listening(bed, **spec), LINE)
    return IEC62056(wire, options()), wire


def run(bed: Bed, wire: Cable, sensor: IEC62056, seconds: int) -> None:
    for _ in range(10 * seconds):
        bed.sleep(0.1)
        wire.stirs()
        sensor.feed(bed.now_ms)


@pytest.mark.parametrize(("sent", "text"), BLOCKS)
def test_published_blocks_hold_and_with_another_check_do_not(sent: bytes, text: bytes) -> None:
    assert Blocks().cut(with_parity(sent)) == [text]
    assert Blocks().cut(with_parity(sent[:-1] + bytes((sent[-1] ^ 1,)))) == []


def test_registers_are_found_with_and_without_what_is_understood() -> None:
    stored = {"code": "1-0:1.8.0*01", "name": "last_year", "unit": "kWh", "total": False}
    chosen = options(*(stored if code == "1-0:1.8.0*01" else code for code in CODES))
    assert decode(TEXT, chosen).values == ANSWERS
    kinds = {channel.name: channel.kind for channel in IEC62056.declare(chosen)}
    assert kinds["import_energy"] is Kind.COUNTER
    assert kinds["last_year"] is Kind.GAUGE


def test_a_code_that_nobody_knows_wants_a_name_and_a_unit() -> None:
    with pytest.raises(msgspec.ValidationError, match=r"give the code 9.9.9 a `name` and a `unit`"):
        options("9.9.9")
    found = options({"code": "9.9.9", "name": "steam", "unit": "kg", "decimals": 1, "total": True})
    (channel,) = IEC62056.declare(found)
    assert (channel.name, channel.unit, channel.scale, channel.kind) == (
        *("steam", "kg", -1),
        Kind.COUNTER,
    )


def test_two_registers_of_one_name_are_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="two registers are called import_energy"):
        options("1.8.0", "1.8.0")


def test_a_fatal_error_of_the_meter_is_a_fault_of_all() -> None:
    chosen = options("1.8.0", "2.8.0")
    for code in (b"F.F", b"0-0:F.F.0*255"):
        sample = decode(TEXT.replace(b"0-0:F.F.0*255(0000000)", code + b"(00000008)"), chosen)
        assert sample.values == (None, None)
        assert set(sample.quality) == {Quality.FAULT}


def test_a_register_that_is_no_number_is_a_fault_of_it_alone() -> None:
    sample = decode(TEXT.replace(b"0000321.456", b"????????"), options("1.8.0", "1.8.1"))
    assert sample.values == (None, 200.0)
    assert sample.quality == (Quality.FAULT, Quality.OK)


@pytest.mark.parametrize(
    ("printed", "unit", "value"),
    [
        ("0012.5*MWh", "kWh", 12_500.0),
        ("12.5*kW", "W", 12_500.0),
        ("12500*Wh", "kWh", 12.5),
        ("3.6*GJ", "GJ", 3.6),
        ("3.6*GJ", "kWh", None),
        ("17", "m3", 17.0),
        ("17*m3", "kWh", None),
        ("-2.5*kvar", "kvar", -2.5),
    ],
)
def test_units_differ_by_a_step_of_a_thousand_at_most(
    printed: str, unit: str, value: float | None
) -> None:
    found = amount(printed)
    assert found is not None
    assert in_unit(found, unit) == (value if value is None else pytest.approx(value))


@pytest.mark.parametrize("text", ["", "-", "1.2.3", "1e5", "0x10", "١٢", "1" * 13, "nan", " 1"])
def test_what_is_no_printed_number_is_none(text: str) -> None:
    assert amount(f"{text}*kWh") is None


def test_before_the_first_readout_there_is_no_number_and_it_is_settling() -> None:
    bed = Bed()
    sensor, _ = opened(bed)
    sample = sensor.read(bed.now_ms)
    assert (sample.values, sample.quality) == ((None,), (Quality.SETTLING,))


def test_no_call_takes_longer_than_the_budget_however_slow_the_meter() -> None:
    bed = Bed()
    sensor, wire = opened(bed, mode="A")
    for _ in range(300):
        bed.sleep(0.1)
        wire.stirs()
        began_ns = bed.now_ns
        sensor.feed(bed.now_ms)
        assert bed.now_ns - began_ns < IEC62056.budget_s * 1e9
    assert sensor.read(bed.now_ms).quality == (Quality.OK,)


def test_an_echo_is_no_answer_and_a_silent_meter_is_lost_with_words() -> None:
    wire = FakeSerial()
    wire.line = LINE
    sensor = IEC62056(wire, options(readout_s=60))
    sent = 0
    for now_ms in range(0, 250_000, 100):
        for said in wire.written[sent:]:
            wire.say(said)
        sent = len(wire.written)
        sensor.feed(now_ms)
    assert set(wire.written) == {with_parity(b"/?!\r\n")}
    with pytest.raises(BusTimeout, match=r"no readout for 250 s \(no answer\); .* sits straight"):
        sensor.read(250_000)


def test_noise_instead_of_a_readout_is_a_bad_frame() -> None:
    bed = Bed()
    sensor, wire = opened(bed)
    wire.instrument.act("garbage", bed.now_ns)
    run(bed, wire, sensor, 750)
    with pytest.raises(BadFrame, match="keep sunlight off"):
        sensor.read(bed.now_ms)


def test_a_readout_that_breaks_off_is_tried_again_after_ten_seconds() -> None:
    bed = Bed()
    sensor, wire = opened(bed, proposes=300)
    run(bed, wire, sensor, 4)
    wire.instrument.act("hang", bed.now_ns)
    run(bed, wire, sensor, 5)
    assert "ended without a whole block" in sensor._reader.trouble
    wire.instrument.act("return", bed.now_ns)
    run(bed, wire, sensor, 25)
    assert sensor.read(bed.now_ms).quality == (Quality.OK,)
    assert sensor._reader.trouble == ""


def test_a_meter_of_mode_b_changes_its_speed_unasked() -> None:
    wire = FakeSerial()
    wire.line = LINE
    reader = Reader(wire, 60_000, 10_000, 9600)
    reader.feed(0)
    wire.say(with_parity(b"/?!\r\n/ELSE12345\r\n"))
    reader.feed(1_000)
    assert wire.bauds == [9600]
    assert len(wire.written) == 1, "nothing is acknowledged"
    wire.say(with_parity(BLOCKS[1][0]))
    assert reader.feed(2_000) == BLOCKS[1][1]
    reader.feed(61_000)
    assert wire.bauds == [9600, 300]


def test_data_without_an_end_are_given_up() -> None:
    wire = FakeSerial()
    wire.line = LINE
    reader = Reader(wire, 60_000, 10_000, 9600)
    reader.feed(0)
    wire.say(with_parity(b"/ELS 1\r\n\x02"))
    now_ms = 0
    while not reader.trouble and now_ms < 2_000_000:
        now_ms += 1_000
        wire.say(b"0" * 30)
        reader.feed(now_ms)
    assert reader.trouble == "its data did not end"
    assert len(reader._blocks._kept) <= BLOCK_MOST


def test_the_fastest_that_the_head_can_do_is_asked_for() -> None:
    meter, texts = read_out(room, proposes=19_200)
    assert texts
    assert [text for _, text in meter.told][1] == b"\x06050\r\n", "9600 and no more"


def test_the_number_of_a_meter_is_in_nothing_that_it_says() -> None:
    bed = Bed()
    sensor, wire = opened(bed)
    run(bed, wire, sensor, 10)
    fresh = Cable(bed, Listening(bed), LINE)
    said = repr((sensor.read(bed.now_ms), IEC62056.identify(fresh), sensor.measures()))
    assert "12345678" not in said
    assert "EDG" in said


def test_a_meter_says_which_one_it_is_by_its_makers_number_before_any_other() -> None:
    bed = Bed()
    sensor, _ = opened(bed)
    assert sensor.identities() == {"import_energy": ""}
    for text, number in (
        (TEXT, "12345678"),
        (b"0.0.0(777)\r\n1.8.0(1*kWh)\r\n!\r\n", "777"),
        (b"0.0.0(777)\r\nC.1.0(888)\r\n!\r\n", "888"),
        (b"1.8.0(1*kWh)\r\n!\r\n", ""),
    ):
        sensor._text = text
        assert sensor.identities() == {"import_energy": number}


def test_a_scan_hears_nothing_where_nobody_answers_and_nobody_where_noise_comes() -> None:
    bed = Bed()
    silent = Cable(bed, Listening(bed), LINE)
    silent.instrument.act("nack", 0)
    with pytest.raises(BusTimeout, match="nobody answers"):
        IEC62056.identify(silent)
    noisy = Cable(bed, Listening(bed), LINE)
    noisy.instrument.act("garbage", 0)
    assert IEC62056.identify(noisy) is None


def test_a_parity_of_the_bus_is_refused() -> None:
    wire = FakeSerial()
    wire.line = SerialLine(300, "even", 7)
    with pytest.raises(BusError, match="leave parity out"):
        IEC62056(wire, options())


def test_every_damaged_character_is_noticed_and_every_whole_one_kept() -> None:
    every = bytes(range(1, 128))
    assert without_parity(with_parity(every)) == every
    for bit in range(8):
        assert without_parity(bytes(code ^ 1 << bit for code in with_parity(every))) == bytes(127)


def test_an_identification_is_found_behind_an_echo_and_only_when_it_is_whole() -> None:
    assert identification(b"/?!\r\n/ISK5\\2MT174-0001\r\n\x02") == ("ISK", ord("5"), b"\x02")
    assert identification(b"/?!\r\n/ISK5\\2MT174-0001\r") is None
    assert identification(b"/?!\r\n") is None


def test_without_a_choice_the_imported_energy_is_sent() -> None:
    (channel,) = IEC62056.declare(options())
    assert (channel.name, channel.unit) == ("import_energy", "kWh")
    assert decode(TEXT, options()).values == (321.456,)
