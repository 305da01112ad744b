"""The samples of all metrics, from the documents behind `status` and `sensors`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from edgenode.metrics.table import TABLE, Source, Spec
from edgenode.metrics.text import Metric, Sample, Value

Document = Mapping[str, Any]

HEALTHS = ("well", "degraded", "stalled")
STATES = ("unopened", "settling", "ok", "lost", "faulty")
PERIODS = ("day", "month")
QUANTILES = (("0.5", "lateness_ms_p50"), ("0.99", "lateness_ms_p99"))


class Row(NamedTuple):
    """Something that metrics are read from, and the labels that tell it from others."""

    labels: Mapping[str, str]
    fields: Document


Rows = Callable[[Document, Document], Iterator[Row]]


def metrics_of(status: Document, sensors: Document) -> list[Metric]:
    """Return every metric that the two documents of docs/cli.md have a number for."""
    metrics = []
    for source, specs in TABLE.items():
        rows = list(SOURCES[source](status, sensors))
        for spec in specs:
            samples = tuple(_samples(spec, rows))
            if samples:
                metrics.append(Metric(spec.full_name, spec.kind, spec.help, spec.unit, samples))
    return metrics


def _samples(spec: Spec, rows: list[Row]) -> Iterator[Sample]:
    for row in rows:
        value: Value | None = row.fields.get(spec.field)
        if value is None:  # not known: no sample, never a zero
            continue
        labels = dict(row.labels)
        if spec.kind == "stateset":  # the state is a label named as the metric
            labels[spec.full_name] = labels.pop("state")
        yield Sample(labels, value if spec.per == 1 else value / spec.per)


def _node(status: Document, _: Document) -> Iterator[Row]:
    maintenance = status.get("maintenance")
    left = maintenance["left_s"] if maintenance else 0
    vouched = status["clock"] != "none"
    yield Row({}, {**status, "clock_vouched": vouched, "maintenance_left_s": left})


def _build(status: Document, _: Document) -> Iterator[Row]:
    yield Row({"version": status["version"]}, {"one": 1})


def _health(status: Document, _: Document) -> Iterator[Row]:
    for state in HEALTHS:
        yield Row({"state": state}, {"on": status["health"] == state})


def _problem(status: Document, _: Document) -> Iterator[Row]:
    for problem in status["problems"]:
        yield Row({"key": problem["key"]}, problem)


def _budget(status: Document, _: Document) -> Iterator[Row]:
    budget = status.get("budget") or {}
    for period in PERIODS:
        fields = {
            "bytes": budget.get(f"{period}_bytes"),
            "limit": budget.get(f"{period}_limit_bytes"),
        }
        yield Row({"period": period}, fields)


def _bus(status: Document, _: Document) -> Iterator[Row]:
    for bus in status["buses"]:
        yield Row({"bus": bus["bus"]}, bus)


def _lateness(status: Document, _: Document) -> Iterator[Row]:
    for bus in status["buses"]:
        for quantile, field in QUANTILES:
            yield Row({"bus": bus["bus"], "quantile": quantile}, {"late_ms": bus[field]})


def _rung(status: Document, _: Document) -> Iterator[Row]:
    for bus in status["buses"]:
        for rung, tally in bus.get("rungs", {}).items():
            yield Row({"bus": bus["bus"], "rung": rung}, tally)


def _recovery(status: Document, _: Document) -> Iterator[Row]:
    for rung, uses in status.get("recovery", {}).items():
        yield Row({"rung": rung}, {"uses": uses})


def _sensor(_: Document, sensors: Document) -> Iterator[Row]:
    for sensor in sensors["sensors"]:
        yield Row({"bus": sensor["bus"], "sensor": sensor["sensor"]}, sensor)


def _sensor_state(_: Document, sensors: Document) -> Iterator[Row]:
    for sensor in sensors["sensors"]:
        labels = {"bus": sensor["bus"], "sensor": sensor["sensor"]}
        for state in STATES:
            yield Row({**labels, "state": state}, {"on": sensor["state"] == state})


def _channel(_: Document, sensors: Document) -> Iterator[Row]:
    for sensor in sensors["sensors"]:
        for channel in sensor["channels"]:
            labels = {"channel": channel["channel"], "unit": channel["unit"]}
            quality = channel["quality"]
            trusted = None if quality is None else quality == "ok"
            yield Row(labels, {**channel, "ok": trusted})


def _spool(status: Document, _: Document) -> Iterator[Row]:
    spool = status["spool"]
    derived = {
        "in_trouble": bool(spool["degraded"]),
        "set_aside": len(spool.get("quarantined", ())),
    }
    yield Row({}, {**spool, **derived})


def _uplink(status: Document, _: Document) -> Iterator[Row]:
    uplink = status["uplink"]
    if uplink is None:
        return
    now_ms = status["boot_ms"]
    ages = {
        age: None if uplink[field] is None else now_ms - uplink[field]
        for age, field in (("puback_age_ms", "last_puback_ms"), ("ack_age_ms", "last_ack_ms"))
    }
    yield Row({}, {**uplink, **ages})


SOURCES: Mapping[Source, Rows] = {
    "node": _node,
    "build": _build,
    "health": _health,
    "problem": _problem,
    "budget": _budget,
    "bus": _bus,
    "lateness": _lateness,
    "rung": _rung,
    "recovery": _recovery,
    "sensor": _sensor,
    "sensor state": _sensor_state,
    "channel": _channel,
    "spool": _spool,
    "uplink": _uplink,
}
