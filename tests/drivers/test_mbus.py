"""Wired M-Bus: who answers, which records become channels, and what a meter says of itself."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from drivers.mbus import MBus
from drivers.mbus_choice import KEPT, USUAL, MBusOptions, Quantity
from edgenode.bus.mbus import ANY, Slave, payload, request_s, reset_s
from edgenode.bus.mbus_records import parsed
from edgenode.errors import BadFrame, BusError, BusTimeout, WrongDevice
from edgenode.reading import Kind, Quality, SerialLine
from tests.drivers.known_mbus import (
    ANSWERS,
    HEAT,
    RECORDS,
    Meter,
    cable,
    captured,
    framed,
    records_hold,
    telegram,
)


def options(**chosen: Any) -> MBusOptions:
    return msgspec.convert(chosen, MBusOptions)


def values(*payloads: bytes, **chosen: Any) -> dict[str, float | None]:
    sensor = MBus(cable(Meter(*payloads)), options(**chosen))
    names = [channel.name for channel in sensor.measures()]
    return dict(zip(names, sensor.read(0).values, strict=True))


def test_a_published_heat_meter_is_read_as_it_was_published() -> None:
    assert tuple(values(HEAT[6:-2]).values()) == ANSWERS


def test_every_kind_of_record_has_a_known_answer() -> None:
    import edgenode.bus.mbus_records as room  # noqa: PLC0415 - the module itself is the argument

    assert len(RECORDS) > 20
    assert records_hold(room)


def test_a_value_of_an_error_state_or_of_the_past_is_not_the_current_one() -> None:
    found = values(telegram("32 5A FA 00 4C 06 01 00 00 00 1C 13 02 00 00 00 0C 06 05 00 00 00"))
    assert found["flow_temperature"] is None
    assert found["energy"] == 5.0
    assert found["volume"] is None


def test_a_record_that_a_vife_changes_is_taken_by_its_index_only() -> None:
    pulse = telegram("04 90 28 A0 86 01 00 04 13 E8 03 00 00", medium=7)
    assert values(pulse, medium="water") == {"volume": 1.0}
    by_index = [{"quantity": "volume", "index": 0, "name": "litres_a_pulse"}]
    assert values(pulse, medium="water", records=by_index) == {"litres_a_pulse": 0.1}


def test_a_record_at_an_index_that_holds_something_else_is_a_fault() -> None:
    wire = cable(Meter(telegram("04 13 E8 03 00 00")))
    chosen = options(records=[{"quantity": "energy", "index": 0}, {"quantity": "power"}])
    sample = MBus(wire, chosen).read(0)
    assert sample.values == (None, None)
    assert sample.quality == (Quality.FAULT, Quality.MISSING)


def test_channels_are_named_by_what_sets_their_records_apart() -> None:
    chosen = options(
        records=[
            {"quantity": "energy"},
            {"quantity": "energy", "tariff": 1},
            {"quantity": "volume", "storage": 1, "subunit": 2},
            {"quantity": "flow", "function": "maximum", "decimals": 1},
            {"quantity": "volume", "index": 7},
        ]
    )
    found = {one.name: one for one in MBus.declare(chosen)}
    assert list(found) == ["energy", "energy_t1", "volume_s1_u2", "flow_maximum", "volume_i7"]
    assert found["energy_t1"].kind is Kind.COUNTER
    assert found["volume_s1_u2"].kind is Kind.GAUGE, "what was stored does not count on"
    assert found["flow_maximum"].scale == -1


def test_two_records_of_one_name_are_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match=r"two records are called energy; give"):
        options(records=[{"quantity": "energy"}, {"quantity": "energy"}])


def test_every_quantity_has_a_unit_and_every_medium_its_usual_ones() -> None:
    named = set(Quantity.__args__)  # type: ignore[attr-defined]
    assert named == set(KEPT)
    assert {quantity for usual in USUAL.values() for quantity in usual} <= named
    assert MBus.declare(options(medium="water"))[0].observed == (
        "WaterConsumptionObserved/waterConsumption"
    )


def test_only_as_many_telegrams_are_asked_for_as_hold_what_is_wanted() -> None:
    parts = [telegram("0C 06 01 00 00 00 1F"), telegram("0B 2B 10 00 00 1F"), telegram("")]
    wire = cable(Meter(*parts), baud=9600)
    sensor = MBus(wire, options(records=[{"quantity": "energy"}, {"quantity": "power"}]))
    wire.sent.clear()
    assert sensor.read(0).values == (1.0, 10.0)
    assert [sent[1] for sent in wire.sent] == [0x40, 0x7B, 0x5B]


def test_a_meter_that_never_ends_costs_no_more_than_the_budget() -> None:
    endless = telegram("01 5B 01 " * 77 + "1F")
    wire = cable(Meter(endless, endless), baud=2400)
    sensor = MBus(wire, options())
    began_s, wire.late_s = wire.now_s, 0.19
    sensor.read(0)
    assert wire.now_s - began_s < MBus.budget_s
    wire = cable(Meter(endless, endless), baud=38_400)
    sensor = MBus(wire, options())
    wire.sent.clear()
    sensor.read(0)
    assert len(wire.sent) == 1 + 10


def test_a_speed_at_which_a_telegram_takes_longer_than_a_read_is_refused() -> None:
    with pytest.raises(BusError, match=r"at 300 baud a telegram takes .* s, too long"):
        MBus(cable(Meter(HEAT[6:-2]), baud=300), options())
    slow = SerialLine(1200, "even")
    assert reset_s(slow) + request_s(slow) < MBus.budget_s


def test_the_meter_of_another_medium_is_the_wrong_one() -> None:
    with pytest.raises(WrongDevice, match=r'meters water, not heat; write medium = "water"'):
        values(telegram("04 13 E8 03 00 00", medium=0x16))
    assert values(telegram("04 13 E8 03 00 00", medium=0x16), medium="other")["volume"] == 1.0


def test_an_encrypted_and_an_old_telegram_say_what_they_are() -> None:
    with pytest.raises(WrongDevice, match="encrypted"):
        values(telegram("2F 2F", mode=5))
    with pytest.raises(WrongDevice, match="of type 73"):
        values(bytes.fromhex("73 01 00 00 00 00 00 E9 7E 01 00 00 00 35 01 00 00"))


def test_telegrams_with_a_short_header_or_none_are_read() -> None:
    short = bytes.fromhex("7A 05 00 00 00 0C 06 07 00 00 00")
    bare = bytes.fromhex("78 0C 06 08 00 00 00")
    assert values(short)["energy"] == 7.0
    assert values(bare)["energy"] == 8.0


def test_whoever_is_silent_times_out_and_says_what_to_check() -> None:
    with pytest.raises(BusTimeout, match=r"address 9: no answer; check the address"):
        MBus(cable(Meter(HEAT[6:-2])), options(address=9))


def test_a_converter_that_gives_an_echo_changes_nothing() -> None:
    wire = cable(Meter(HEAT[6:-2]))
    wire.echo = True
    assert MBus(wire, options()).read(0).values == ANSWERS


def test_a_meter_that_has_nothing_to_say_is_a_bus_error() -> None:
    wire = cable(lambda _: b"\xe5")
    with pytest.raises(BusError, match="has no data"):
        MBus(wire, options())


def test_two_meters_at_one_address_are_told() -> None:
    wire = cable(lambda asked: b"\xe4" if asked[1] == 0x40 else b"")
    with pytest.raises(BadFrame, match="two meters have this address"):
        MBus(wire, options())


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (b"", "is no telegram"),
        (framed(telegram(""))[:-1], "bytes are missing"),
        (framed(telegram(""), address=7), "address 7 answered"),
        (framed(telegram("")).replace(b"\x87", b"\x88"), "checksum wrong"),
    ],
)
def test_a_frame_that_is_none_says_why(frame: bytes, words: str) -> None:
    with pytest.raises(BadFrame, match=words):
        payload(frame, 1)


def test_a_frame_that_is_no_answer_is_another_master() -> None:
    with pytest.raises(WrongDevice, match="control 0x53"):
        payload(framed(telegram(""), control=0x53), 1)


@pytest.mark.parametrize(
    "records", ["04 06 01 02", "84 " + "80 " * 12 + "00", "04 " + "93 " * 12, "0D 13 05 41", "04"]
)
def test_a_record_that_is_cut_short_or_endless_is_a_bad_frame(records: str) -> None:
    with pytest.raises(BadFrame, match="M-Bus: a record"):
        parsed(telegram(records))


def test_a_scan_names_the_only_meter_and_each_at_its_address() -> None:
    water = telegram("04 13 E8 03 00 00", medium=7)
    found = MBus.identify_at(cable(Meter(water, address=3)), ANY)
    assert found == ("M-Bus meter of EDG, water", {"address": 3, "medium": "water"})
    both = cable(Meter(water, address=3), Meter(HEAT[6:-2], address=5))
    assert MBus.identify_at(both, 3) == found
    heat = MBus.identify_at(both, 5)
    assert heat is not None
    assert heat.options == {"address": 5}
    with pytest.raises(BusTimeout, match="no answer"):
        MBus.identify_at(both, 4)


def test_the_number_of_a_meter_is_in_nothing_that_it_says() -> None:
    wire = cable(Meter(captured("kamstrup_382_005")[6:-2], address=5))
    sensor = MBus(wire, options(address=5, medium="electricity"))
    said = repr((sensor.read(0), MBus.identify_at(wire, 5), sensor.measures()))
    assert "14839120" not in said


def test_a_late_answer_is_not_taken_for_the_next_one() -> None:
    wire = cable(Meter(HEAT[6:-2]))
    slave = Slave(wire, 1)
    slave.reset()
    wire.says(framed(telegram("")))
    wire.now_s += 1
    assert slave.request() == HEAT[6:-2]


def test_a_meter_says_which_one_it_is_so_that_an_exchange_is_noticed() -> None:
    sensor = MBus(cable(Meter(HEAT[6:-2])), MBusOptions())
    sensor.read(0)
    counters = {c.name for c in sensor.measures() if c.kind is Kind.COUNTER}
    assert sensor.identities() == dict.fromkeys(counters, HEAT[7:15].hex())
    assert sensor.identities()["energy"] not in repr((sensor.read(0), sensor.measures()))


def test_a_meter_with_a_short_header_does_not_say_which_one_it_is() -> None:
    short = bytes.fromhex("7A 01 00 00 00 04 06 05 00 00 00")
    assert parsed(short).header.number == ""
