"""The metrics, read by the parser of those who scrape them."""

import copy
from typing import Any

import pytest
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.samples import Sample as Parsed

from edgenode.metrics import TABLE, Metric, Sample, metrics_of, openmetrics
from tests.support.documents import SENSORS, STATUS

SPECS = [spec for specs in TABLE.values() for spec in specs]


def families_of(text: str) -> list[Family]:
    return list(text_string_to_metric_families(text))  # type: ignore[no-untyped-call]


def scraped(text: str) -> dict[str, list[Parsed]]:
    return {family.name: family.samples for family in families_of(text)}


def of(**changes: Any) -> dict[str, list[Parsed]]:
    return scraped(openmetrics(metrics_of({**copy.deepcopy(STATUS), **changes}, SENSORS)))


def value(families: dict[str, list[Parsed]], name: str, **labels: str) -> float:
    [found] = [s for s in families[name] if labels.items() <= s.labels.items()]
    return float(found.value)


def test_every_metric_of_the_table_is_scraped_with_its_kind_unit_and_help() -> None:
    status = copy.deepcopy(STATUS)
    status["problems"] = [{"key": "uplink", "since_s": 9}]
    text = openmetrics(metrics_of(status, SENSORS))
    families = {family.name: family for family in families_of(text)}
    assert set(families) == {spec.full_name for spec in SPECS}
    for spec in SPECS:
        family = families[spec.full_name]
        assert (family.type, family.unit, family.documentation) == (spec.kind, spec.unit, spec.help)


def test_figures_come_in_base_units() -> None:
    families = of()
    assert value(families, "edgenode_clock_error_seconds") == 0.004
    assert value(families, "edgenode_spool_oldest_age_seconds") == 600
    assert value(families, "edgenode_bus_lateness_seconds", bus="i2c1", quantile="0.99") == 0.003
    assert value(families, "edgenode_uplink_last_broker_ack_age_seconds") == 1.5
    assert value(families, "edgenode_spool_written_bytes") == 9_000_000


def test_counters_rungs_and_values_carry_their_labels() -> None:
    families = of()
    [reads] = families["edgenode_sensor_reads"]
    assert (reads.name, reads.value) == ("edgenode_sensor_reads_total", 3600)
    assert reads.labels == {"bus": "i2c1", "sensor": "air"}
    assert value(families, "edgenode_bus_recovery_tries", rung="retry") == 4
    assert value(families, "edgenode_channel_value", channel="air/temperature", unit="Cel") == 21.5


def test_exactly_one_state_of_a_set_is_on() -> None:
    families = of(health="degraded")
    on = [s.labels["edgenode_health"] for s in families["edgenode_health"] if s.value]
    assert on == ["degraded"]
    assert value(families, "edgenode_sensor_state", edgenode_sensor_state="ok") == 1


def test_what_is_not_known_is_no_number() -> None:
    families = of(clock="none", clock_err_ms=None, uplink=None, budget=None)
    assert value(families, "edgenode_clock_vouched") == 0
    assert "edgenode_clock_error_seconds" not in families
    assert not [name for name in families if name.startswith("edgenode_uplink")]
    assert "edgenode_budget_used_bytes" not in families
    channels = [s.labels["channel"] for s in families["edgenode_channel_value"]]
    assert channels == ["air/temperature"], "a missing value is not a zero"
    assert value(families, "edgenode_channel_ok", channel="air/humidity") == 0


def test_a_document_of_an_earlier_daemon_gives_what_it_has() -> None:
    status = copy.deepcopy(STATUS)
    del status["maintenance"], status["budget"], status["clock_err_ms"]
    del status["spool"]["sealed_bytes"], status["buses"][0]["rungs"]
    assert "edgenode_spool_readings" in scraped(openmetrics(metrics_of(status, SENSORS)))


@pytest.mark.parametrize("text", ['a"b', "a\\b", "a\nb", "a\\nb", "덕수궁", "{}=,"])
def test_no_text_breaks_out_of_its_label(text: str) -> None:
    metric = Metric("m", "gauge", text, "", (Sample({"key": text}, 1),))
    [family] = families_of(openmetrics([metric]))
    assert family.samples[0].labels == {"key": text}
    assert family.documentation == text


@pytest.mark.parametrize(
    ("number", "written"),
    [(True, "1"), (3, "3"), (0.1, "0.1"), (float("nan"), "NaN"), (float("inf"), "+Inf")],
)
def test_numbers_are_written_as_the_format_wants_them(number: float, written: str) -> None:
    text = openmetrics([Metric("m", "gauge", "h", "", (Sample({}, number),))])
    assert f"\nm {written}\n" in text


def test_the_text_ends_with_its_mark() -> None:
    assert openmetrics([]) == "# EOF\n"


def test_names_are_unique() -> None:
    assert len({spec.name for spec in SPECS}) == len(SPECS)
