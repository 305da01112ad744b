"""What befalls a register: rollover, exchange, setting back and leaps, each by its own reason."""

from __future__ import annotations

from typing import ClassVar

import pytest

from drivers.sdm import SDM230
from edgenode.reading import Channel, Kind, Quality
from edgenode.sensing import ChannelRules, MeterRules, SensorRules
from edgenode.sensing.dial import HOUR_MS, OFF_MS, Dial, declared_per_h, dial
from edgenode.sensing.identity import fingerprint
from edgenode.sensing.totals import UNKNOWN_MS, ResetReason
from tests.support.sites import Meter, Site

GOOD, HELD = Quality.OK, (None, Quality.FAULT)


def of(rules: MeterRules) -> SensorRules:
    return SensorRules({"energy": ChannelRules(meter=rules)})


FIVE_DIGITS = of(MeterRules(modulus=100_000))
TEN_AN_HOUR = of(MeterRules(most_per_h=10))


def reasons(site: Site) -> list[int]:
    return [value[3] for value in site.told()]


def test_a_register_that_rolls_over_is_counted_through_and_told_once() -> None:
    site = Site(FIVE_DIGITS)
    assert site.read(99_999.5) == (99_999.5, GOOD)
    assert site.read(0.25) == HELD, "a slip to 0 would look the same"
    assert site.read(0.5) == (100_000.5, GOOD)
    assert site.read(1.0) == (100_001.0, GOOD)
    assert [value[:2] for value in site.told()] == [(9_999_950, 50)]
    assert reasons(site) == [ResetReason.ROLLED_OVER]


def test_a_slip_near_the_end_of_the_register_is_no_rollover() -> None:
    site = Site(FIVE_DIGITS)
    site.read(99_999.5)
    assert site.read(0.0) == HELD
    assert site.read(99_999.75) == (99_999.75, GOOD)
    assert site.told() == []


def test_more_than_a_tenth_of_its_round_is_no_rollover() -> None:
    site = Site(FIVE_DIGITS)
    site.read(60_000.0)
    site.read(2.0)
    assert site.read(2.0) == (60_000.0, GOOD)
    assert reasons(site) == [ResetReason.WENT_BACK]


def test_a_rollover_that_would_have_been_too_fast_is_none() -> None:
    site = Site(of(MeterRules(modulus=100_000, most_per_h=10)))
    site.read(99_990.0)
    site.read(5.0)
    assert site.read(5.0) == (99_990.0, GOOD)
    assert reasons(site) == [ResetReason.WENT_BACK]


def test_a_driver_may_know_the_digits_itself() -> None:
    class FourDigits(Meter):
        channels: ClassVar[tuple[Channel, ...]] = (
            Channel("voltage", "V", -1),
            Channel("energy", "kWh", -2, kind=Kind.COUNTER, modulus=1_000_000),
        )

    site = Site(cls=FourDigits)
    assert site.group.channels[1].modulus is None, "the total does not wrap where it travels"
    site.read(9_999.0)
    site.reboot()
    assert site.read(1.0) == (10_001.0, GOOD)


def test_a_meter_that_shows_more_than_it_can_have_counted_is_suspect_and_counts_nothing() -> None:
    site = Site(TEN_AN_HOUR)
    site.read(1000.0)
    assert site.read(5000.0) == HELD
    assert site.read(5000.0) == (1000.0, GOOD)
    assert site.read(5001.0) == (1001.0, GOOD)
    assert [value[:2] for value in site.told()] == [(100_000, 500_000)]
    assert reasons(site) == [ResetReason.LEAPT]


def test_after_an_outage_as_much_is_believed_as_can_have_been_counted() -> None:
    site = Site(TEN_AN_HOUR)
    site.read(1000.0)
    site.clock.advance(9 * HOUR_MS)
    assert site.read(1099.0) == (1099.0, GOOD)
    assert site.told() == []


def test_a_limit_that_is_too_low_loses_nothing_and_shows_as_a_fault() -> None:
    site = Site(TEN_AN_HOUR)
    site.read(1000.0)
    for hour in range(1, 5):
        site.clock.advance(HOUR_MS)
        assert site.read(1000.0 + 50 * hour) == HELD
    site.rules = of(MeterRules(most_per_h=60))
    site.start()
    assert site.read(1200.0) == (1200.0, GOOD)
    assert site.told() == []


def test_one_that_shows_again_what_it_showed_before_is_not_counted_twice() -> None:
    site = Site()
    site.read(1551.37)
    site.read(0.0)
    site.read(0.0)
    assert site.read(1551.5) == HELD
    assert site.read(1551.5) == (1551.37, GOOD)
    assert site.read(1552.0) == (1551.87, GOOD)
    assert reasons(site) == [ResetReason.WENT_BACK, ResetReason.LEAPT]


def test_a_new_meter_that_reaches_what_the_old_one_showed_counts_on() -> None:
    site = Site()
    site.read(3.0)
    site.read(1.0)
    site.read(1.0)
    for n in range(1, 30):
        total, quality = site.read(1.0 + n / 10)
        assert total == pytest.approx(3.0 + n / 10)
        assert quality is GOOD
    assert len(site.told()) == 1


def test_another_number_on_the_meter_is_an_exchange_at_once_whatever_it_shows() -> None:
    site = Site()
    site.number = "E0047"
    site.read(1551.37)
    site.number = "E0048"
    site.start()
    assert site.read(1552.0) == (1551.37, GOOD)
    assert site.read(1553.0) == (1552.37, GOOD)
    site.number = "E0049"
    site.start()
    assert site.read(2.0) == (1552.37, GOOD)
    assert reasons(site) == [ResetReason.EXCHANGED] * 2


def test_another_number_is_noticed_over_a_reboot_and_told_once() -> None:
    site = Site()
    site.number = "E0047"
    site.read(1551.37)
    site.number = "E0048"
    site.reboot()
    assert site.read(1552.0) == (1551.37, GOOD)
    site.reboot()
    assert site.read(1553.0) == (1552.37, GOOD)
    assert reasons(site) == [ResetReason.EXCHANGED]


def test_an_exchange_is_remembered_until_the_new_meter_gives_a_total() -> None:
    site = Site()
    site.number = "E0047"
    site.read(1551.37)
    site.number, site.energy = "E0048", None
    site.start()
    site.read()
    assert site.told() == []
    assert site.read(1552.0) == (1551.37, GOOD)
    assert reasons(site) == [ResetReason.EXCHANGED]


def test_a_meter_that_does_not_say_its_number_this_time_is_the_same() -> None:
    site = Site()
    for number in ("E0047", "", "E0047"):
        site.number = number
        site.start()
        assert site.read() == (1551.37, GOOD)
    assert site.told() == []


def test_the_same_meter_that_shows_less_was_set_back() -> None:
    site = Site()
    site.number = "E0047"
    site.start()
    site.read(1551.37)
    site.read(0.5)
    assert site.read(0.5) == (1551.37, GOOD)
    assert reasons(site) == [ResetReason.SET_BACK]


def test_what_it_has_counted_since_it_was_set_back_counts_where_that_can_be() -> None:
    site = Site(TEN_AN_HOUR)
    site.number = "E0047"
    site.start()
    site.read(1551.37)
    site.clock.advance(HOUR_MS)
    site.read(4.0)
    assert site.read(4.0) == (1555.37, GOOD)
    site.read(2.0)
    assert site.read(2.0) == (1557.37, GOOD)
    assert reasons(site) == [ResetReason.SET_BACK] * 2


def test_the_number_of_a_meter_leaves_no_more_than_16_bits_behind() -> None:
    site = Site()
    site.number = "E0047"
    site.start()
    site.read()
    assert site.sink.totals["s1/energy meter"].value == fingerprint("E0047")
    assert {fingerprint(str(n)) for n in range(500_000)} <= set(range(1, 1 << 16))


def test_the_register_travels_too_where_it_is_asked_for() -> None:
    site = Site(of(MeterRules(register=True)))
    _, total, shown = site.group.channels
    assert (shown.name, shown.kind, shown.unit) == ("s1/energy_register", Kind.GAUGE, "kWh")
    assert total.kind is Kind.COUNTER
    site.read(1551.37)
    assert site.newest("energy_register") == (1551.37, GOOD)
    assert site.read(3.5) == HELD
    assert site.newest("energy_register") == (3.5, GOOD), "it is what the meter shows"
    site.read(3.5)
    assert (site.newest("energy"), site.newest("energy_register")) == ((1551.37, GOOD), (3.5, GOOD))
    site.lose(1)
    assert site.newest("energy_register") == (None, Quality.MISSING)


def test_the_power_that_a_meter_can_measure_limits_what_it_can_count() -> None:
    names = {channel.name: channel for channel in SDM230.channels}
    assert declared_per_h(names["import_energy"], SDM230.channels) == pytest.approx(27.6)
    assert declared_per_h(Channel("v", "m3"), [Channel("f", "m3/h", low=0, high=6)]) == 6.0
    assert declared_per_h(Channel("v", "L"), [Channel("f", "L/min", low=0, high=2)]) == 120.0
    assert declared_per_h(Channel("v", "m3"), SDM230.channels) is None


def test_what_the_file_says_goes_before_what_the_driver_declares() -> None:
    energy = next(c for c in SDM230.channels if c.name == "import_energy")
    assert dial(energy, SDM230.channels, MeterRules()).most_per_h == pytest.approx(2760)
    told = dial(energy, SDM230.channels, MeterRules(modulus=100_000, most_per_h=5))
    assert told == Dial(10_000_000, 500)


def test_where_nobody_knows_for_how_long_a_month_is_allowed_for() -> None:
    most = OFF_MS // HOUR_MS * 10
    slow = Dial(most_per_h=10)
    assert slow.step(0, most, UNKNOWN_MS).reason is None
    assert slow.step(0, most + 2, UNKNOWN_MS).reason is ResetReason.LEAPT


def test_over_an_exchange_there_is_no_rate_and_over_a_rollover_there_is() -> None:
    site = Site(SensorRules(FIVE_DIGITS.channels, derived=("power_mean",)))

    def powers(*energies: float) -> list[tuple[float | None, Quality]]:
        rows: list[tuple[float | None, Quality]] = []
        for energy in energies:
            site.read(energy)
            value, quality = site.newest("power_mean")
            rows.append((None if value is None else round(value), quality))
        return rows

    assert powers(99_999.98, 99_999.99) == [(None, Quality.SETTLING), (36_000, GOOD)]
    assert powers(0.0, 0.01, 0.02) == [HELD, (36_000, GOOD), (36_000, GOOD)]
    site.read(60_000.0)
    site.read(60_000.0)
    assert powers(500.0, 500.0, 500.01) == [HELD, (None, Quality.MISSING), (36_000, GOOD)]
