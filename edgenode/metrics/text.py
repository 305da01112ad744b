"""OpenMetrics 1.0 text.

https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

Kind = Literal["gauge", "counter", "stateset", "info", "summary"]
Value = float | int

SUFFIX: Mapping[str, str] = {"counter": "_total", "info": "_info"}


class Sample(NamedTuple):
    """One number of a metric, told apart from the others by its labels."""

    labels: Mapping[str, str]
    value: Value


class Metric(NamedTuple):
    """A metric family. `name` ends with `_<unit>` where it has one, and never with `_total`."""

    name: str
    kind: Kind
    help: str
    unit: str  # a base unit in the plural ("bytes"), or empty
    samples: tuple[Sample, ...]


def openmetrics(metrics: Iterable[Metric]) -> str:
    """Return the whole exposition, its end mark included."""
    lines = [line for metric in metrics for line in _family(metric)]
    return "\n".join([*lines, "# EOF"]) + "\n"


def _family(metric: Metric) -> Iterator[str]:
    yield f"# TYPE {metric.name} {metric.kind}"
    if metric.unit:
        yield f"# UNIT {metric.name} {metric.unit}"
    yield f"# HELP {metric.name} {_escaped(metric.help)}"
    name = metric.name + SUFFIX.get(metric.kind, "")
    for sample in metric.samples:
        yield f"{name}{_labels(sample.labels)} {_number(sample.value)}"


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items()) + "}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: Value) -> str:
    if isinstance(value, bool) or not isinstance(value, float):
        return str(int(value))
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return repr(value)
