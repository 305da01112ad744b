"""What may be said of a channel, and what cannot be true."""

import pytest

from edgenode.config import parse
from tests.support.toml import PULSE, WELL, changed, line, problems

SECOND = WELL[WELL.index("[[sensor]]") :].replace('"street"', '"second"').replace("0x76", "0x77")
OTHERWISE = "[sensor.channel.temperature]\n"


def rules(keys: str, quantity: str = "temperature") -> str:
    return f"{WELL}[sensor.channel.{quantity}]\n{keys}\n"


def calibration(keys: str) -> str:
    return rules(f'calibration = {{ id = "K", date = "2026-01-31", {keys} }}')


def only(text: str) -> str:
    (problem,) = problems(text)
    return problem


def test_a_channel_without_a_purpose_is_refused_though_the_site_has_one() -> None:
    text = changed('purpose = "air of the street"\n', "")
    assert only(text) == (
        f"n.toml:{line('[[sensor]]', text)}: sensor[0]: no purpose for temperature, humidity,"
        ' pressure: write `purpose = "…"`, why this may be measured'
    )
    assert "no purpose" in only(changed('"air of the street"', '"  "'))


def test_a_purpose_of_one_channel_leaves_the_others_without() -> None:
    text = changed('purpose = "air of the street"\n', "")
    one = text + '[sensor.channel.temperature]\npurpose = "heat"\n'
    assert "no purpose for humidity, pressure:" in only(one)
    others = "".join(
        f'[sensor.channel.{name}]\npurpose = "p"\n' for name in ("humidity", "pressure")
    )
    assert parse(one + others).sensors[0].channel["humidity"].purpose == "p"


def test_a_derived_channel_needs_a_purpose_too() -> None:
    text = changed('purpose = "air of the street"\n', 'derived = ["dew_point"]\n')
    assert "temperature, humidity, pressure, dew_point" in only(text).replace(
        "dew_point, temperature, humidity, pressure", "temperature, humidity, pressure, dew_point"
    )


def test_what_can_have_but_one_purpose_brings_it_along() -> None:
    text = (
        '[[bus]]\nname = "self"\nkind = "sysfs"\npath = "/"\n'
        '[[sensor]]\nname = "node"\ndriver = "health"\nbus = "self"\nevery_s = 60\n'
    )
    assert len(parse(WELL + text).sensors) == 2


def test_rules_for_a_quantity_that_the_part_lacks_are_refused() -> None:
    assert only(rules("low = 1", "temprature")).endswith(
        "sensor[0].channel.temprature: BME280 has no such quantity; did you mean 'temperature'?"
    )


def test_limits_leave_room_between_them_and_lie_within_what_the_part_means() -> None:
    assert only(rules("low = 5\nhigh = 5")).endswith("low: expected less than high, 5, found 5")
    assert only(rules("high = 90")).endswith("high: the part means only -40 to 85 Cel, found 90")
    assert only(rules("low = -41")).endswith("low: the part means only -40 to 85 Cel, found -41")
    assert parse(rules("low = -40\nhigh = 85"))


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ("gain = 1.1, polynomial = [0, 1.1]", "polynomial: stands in place of gain and offset"),
        ("raw = true", "raw: nothing is corrected here"),
        ("raw = true, polynomial = [0, 1]", "raw: nothing is corrected here"),
        ("gain = 0", "gain: a gain of 0 makes every value the same"),
        ("polynomial = [4.5]", "polynomial: this polynomial makes every value the same"),
    ],
)
def test_a_calibration_that_cannot_be_meant_is_refused(keys: str, told: str) -> None:
    assert told in only(calibration(keys))


def test_a_calibration_of_no_day_is_refused() -> None:
    assert "there is no such day" in only(calibration("gain = 2").replace("01-31", "02-31"))


def test_a_calibration_that_found_nothing_to_correct_is_kept() -> None:
    made = parse(rules('calibration = { id = "K", date = "2026-01-31" }'))
    assert made.sensors[0].channel["temperature"].calibration


def test_a_counter_is_not_calibrated() -> None:
    text = (
        f'{WELL}{PULSE}channel.count.calibration = {{ id = "K", date = "2026-01-31", gain = 2 }}\n'
    )
    assert "a counter cannot be calibrated" in only(text)


def twin(keys: str) -> str:
    return f"{WELL}{SECOND}[sensor.channel.temperature]\n{keys}\n"


def test_a_twin_is_another_channel_of_the_same_unit_and_has_a_tolerance() -> None:
    assert parse(twin('twin = "street/temperature"\ntolerance = 1'))
    for name, told in (
        ("street/temprature", "no such channel, found 'street/temprature'; did you mean"),
        ("second/temperature", "a channel is no twin of itself"),
        ("street/humidity", "street/humidity is in %RH, not Cel"),
    ):
        assert told in only(twin(f'twin = "{name}"\ntolerance = 1'))


def test_twin_and_tolerance_go_together() -> None:
    assert "twin: goes with tolerance" in only(twin('twin = "street/temperature"'))
    assert "tolerance: goes with twin" in only(twin("tolerance = 1"))


def test_a_twin_that_has_mistakes_of_its_own_is_not_called_missing() -> None:
    text = twin('twin = "street/temperature"\ntolerance = 1').replace("0x76", '"x"')
    assert "sensor[0].address" in only(text)


def derived(names: str, text: str = WELL) -> str:
    return f"{text}derived = [{names}]\n"


def test_what_is_derived_must_be_known_and_have_its_sources() -> None:
    assert parse(derived('"dew_point"')).sensors[0].derived == ("dew_point",)
    assert "did you mean 'dew_point'?" in only(derived('"dew_piont"'))
    assert "dew_point is derived from temperature in Cel; pulse has none" in "".join(
        problems(derived('"dew_point"', WELL + PULSE))
    )
    assert "stands there twice" in only(derived('"dew_point", "dew_point"'))


PLANTOWER = (
    '[[bus]]\nname = "dust"\nkind = "serial"\npath = "/dev/serial/by-id/dust"\n'
    '[[sensor]]\nname = "pm"\ndriver = "pms5003"\nbus = "dust"\nevery_s = 10\npurpose = "dust"\n'
    'derived = ["pm25_epa2021"]\n'
)


def lent(keys: str) -> str:
    return f"{WELL}{PLANTOWER}sources = {{ {keys} }}\n"


def test_a_source_may_be_a_channel_of_another_sensor() -> None:
    sensor = parse(lent('humidity = "street/humidity"')).sensors[1]
    assert sensor.derived == ("pm25_epa2021",)
    assert sensor.sources == {"humidity": "street/humidity"}
    assert "derived from humidity in %RH; PMS5003 has none" in only(WELL + PLANTOWER)
    assert parse(WELL + PLANTOWER.replace('"pms5003"', '"pms5003t"')).sensors[1].sources == {}


def test_what_lends_a_source_must_be_there_in_its_unit_and_be_another_sensor() -> None:
    where = "sensor[1].sources.humidity: "
    assert f"{where}no such channel, found 'street/humidty'; did you mean 'street/humidity'?" in (
        only(lent('humidity = "street/humidty"'))
    )
    assert f"{where}expected a channel in %RH; street/pressure is in Pa" in only(
        lent('humidity = "street/pressure"')
    )
    assert "of another sensor, found its own" in "".join(problems(lent('humidity = "pm/pm1"')))
    assert "expected by quantity, channels of other sensors" in only(lent('humidity = "street"'))


def test_a_source_that_nothing_is_made_from_is_refused() -> None:
    text = lent('humidity = "street/humidity", pressure = "street/pressure"')
    assert only(text).endswith("sources.pressure: nothing that is derived here can be made from it")


def test_what_is_summed_up_over_time_takes_no_source_of_another_sensor() -> None:
    text = WELL + PLANTOWER.replace("pm25_epa2021", "energy")
    found = problems(f'{text}sources = {{ power = "street/humidity" }}\n')
    assert any("energy is derived from power in W; PMS5003 has none" in one for one in found)
    assert any("nothing that is derived here can be made from it" in one for one in found)


def test_the_correction_of_one_kind_of_part_is_refused_for_another() -> None:
    assert "pm25_epa2021 is true only of parts that measure pm25_cf1 too; BME280 does not" in (
        "".join(problems(derived('"pm25_epa2021"')))
    )


def test_a_derived_channel_may_be_judged_but_not_calibrated() -> None:
    text = derived('"dew_point"')
    assert parse(f"{text}[sensor.channel.dew_point]\nhigh = 30\n")
    keys = 'calibration = { id = "K", date = "2026-01-31", gain = 2 }'
    assert "calibrate its sources" in only(f"{text}[sensor.channel.dew_point]\n{keys}\n")


def test_rules_for_what_is_not_derived_here_are_refused() -> None:
    assert "BME280 has no such quantity" in only(rules("high = 30", "dew_point"))


def test_a_day_cannot_have_more_than_its_month() -> None:
    text = f"{WELL}[budget]\nday_mb = 20\nmonth_mb = 10\n"
    assert only(text).endswith("budget.day_mb: more than month_mb, 10, found 20")
    budget = parse(text.replace("20", "2")).budget
    assert (budget.day_mb, budget.month_mb) == (2, 10)
