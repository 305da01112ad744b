"""Checks of the sensors: planned ones are there, each answers, and its values can be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from shlex import quote
from statistics import median
from typing import Final, NamedTuple

from edgenode.advice import QUALITIES, REASONS
from edgenode.commission.accuracy import accuracy
from edgenode.commission.evidence import Evidence, Measured, SensorSeen
from edgenode.commission.expected import expected
from edgenode.commission.finding import Finding

PATIENT: Final = {  # qualities that pass, or that no visit to the pole changes
    "settling": "it has just been switched on, and its first values mean nothing",
    "stale": "it talks less often than it is asked",
    "maintenance": "somebody has said that they work on this node, so nothing counts yet",
    "uncalibrated": "its values are those of the part as it came",
    "estimated": "its values are computed, not measured",
}
AMBIENT: Final = ("WeatherObserved/", "AirQualityObserved/")  # the same all around one pole
PAIR: Final = 2


def plan(evidence: Evidence) -> Iterator[Finding]:
    """Compare what is configured with what was planned."""
    planned = evidence.plan
    if planned is None:
        return
    if planned.problem:
        what = f"{planned.source}: {planned.problem}"
        reason = "nobody can tell whether all sensors are there that should be"
        remedy = "see what is wrong with it; another one is named with --plan"
        command = f"sudo edgenode provision show {quote(planned.source)}"
        yield Finding("plan", what, reason, remedy, command)
        return
    here = {sensor.sensor: sensor for sensor in evidence.configured}
    wanted = {sensor.sensor: sensor for sensor in planned.sensors}
    for name, sensor in wanted.items():
        reason = "what was planned and what runs differ, so the city waits for what never comes"
        if name not in here:
            what = f"sensor {name} ({sensor.driver}) was planned, and the file does not have it"
            remedy = "plug it in and add its stanza, or have the plan changed"
            yield Finding(f"plan {name}", what, reason, remedy, "edgenode scan")
        elif here[name].driver != sensor.driver:
            what = (
                f"sensor {name} was planned as {sensor.driver}, the file says {here[name].driver}"
            )
            remedy = "mount the part that was planned, or have the plan changed"
            yield Finding(f"plan {name}", what, reason, remedy, "edgenode check --offline")
    for name in here.keys() - wanted.keys():
        what = f"sensor {name} ({here[name].driver}) is in the file, and was not planned"
        reason = "the city does not expect it"
        remedy = "have the plan changed, or take it out"
        command = "edgenode check --offline"
        yield Finding(f"plan {name}", what, reason, remedy, command, note=True)


def strangers(evidence: Evidence) -> Iterator[Finding]:
    """Tell what stands on wires that the file does not name."""
    for seen in evidence.strangers:
        name = f"{seen.driver}: " if seen.driver else ""
        what = f"{seen.path}: {name}{seen.words}"
        reason = "it is plugged in, and nothing reads it"
        remedy = "add its stanza, or unplug it"
        key = f"stranger {seen.path} {seen.words}"
        yield Finding(key, what, reason, remedy, "edgenode scan", note=True)
    for problem in evidence.unscanned:
        reason = "what may be plugged in there was not looked for"
        remedy = "look at the wire, then scan it with the daemon stopped"
        yield Finding(f"wire {problem}", problem, reason, remedy, "edgenode scan", note=True)


def sensors(evidence: Evidence) -> Iterator[Finding]:
    """Judge whether each sensor answers, and what it thinks of its own values."""
    for seen in evidence.sensors:
        if seen.answers or (seen.state == "unopened" and seen.reason is None):
            yield from _doubted(seen)
        else:
            yield _unanswered(seen)
    for name in evidence.unread:
        what = f"sensor {name} was not read: there was no time left"
        reason = "reads before it took long"
        command = f"edgenode read {name}"
        yield Finding(f"sensor {name}", what, reason, "read it by itself", command)


def _unanswered(seen: SensorSeen) -> Finding:
    reason = seen.reason or "no-answer"
    settles = reason == "settling"
    detail = f" ({seen.detail})" if seen.detail else ""
    what = f"sensor {seen.sensor} on bus {seen.bus}: {reason}{detail}"
    why = "nothing of it reaches the city"
    remedy = REASONS.get(reason, REASONS["no-answer"])
    command = f"edgenode read {seen.sensor}"
    return Finding(f"sensor {seen.sensor}", what, why, remedy, command, note=settles)


def _doubted(seen: SensorSeen) -> Iterator[Finding]:
    speaks = any(one.value is not None for one in seen.channels)
    for one in seen.channels:
        if one.quality in {"ok", "suppressed-privacy"}:
            continue
        if one.quality in {None, "missing"} and seen.health:
            continue
        quality = one.quality or "not read yet"
        why = PATIENT.get(quality, "a value that cannot be believed is no value to the city")
        remedy = QUALITIES.get(quality, "wait for its first reading")
        note = quality in PATIENT or (quality == "missing" and speaks)
        what = f"{one.channel} is {quality}"
        command = f"edgenode why {one.channel}"
        yield Finding(f"channel {one.channel}", what, why, remedy, command, note=note)


def plausible(evidence: Evidence) -> Iterator[Finding]:
    """Hold each good value against what the season, the place and the altitude allow."""
    status = evidence.status
    vouched = evidence.at_utc_ms if status and status["clock"] != "none" else None
    altitude = _altitude(evidence)
    for seen in evidence.sensors:
        for one in seen.channels if not seen.health else ():
            usual = expected(one.observed, evidence.place, vouched, altitude)
            if usual is None or usual.unit != one.unit or not one.good or one.value is None:
                continue
            if usual.low <= one.value <= usual.high:
                continue
            what = (
                f"{one.channel} is {one.value:g} {one.unit}, expected {usual.low:g} to"
                f" {usual.high:g}: {usual.why}"
            )
            reason = "the part works, and measures something else than the air or the mains here"
            remedy = "look for sun, heat or water on it; compare with another instrument"
            command = f"edgenode why {one.channel}"
            yield Finding(f"plausible {one.channel}", what, reason, remedy, command)


def _altitude(evidence: Evidence) -> float | None:
    """Return the metres that a receiver here is sure of."""
    for seen in evidence.sensors:
        for one in seen.channels:
            if one.channel.endswith("/altitude") and one.unit == "m" and one.good:
                return one.value
    return None


class _Voice(NamedTuple):
    """One value of what several measure, and how wrong it may be."""

    measured: Measured
    value: float
    accuracy: float | None


def twins(evidence: Evidence) -> Iterator[Finding]:
    """Compare sensors of one node that measure the same air.

    Two may differ by both their accuracies; of more, each is held against the median.
    """
    groups: dict[tuple[str, str], list[_Voice]] = defaultdict(list)
    for seen in evidence.sensors:
        for one in seen.channels:
            if one.observed.startswith(AMBIENT) and one.good and one.value is not None:
                voice = _Voice(one, one.value, accuracy(seen.model, one))
                groups[one.observed, one.unit].append(voice)
    for voices in groups.values():
        if len(voices) == PAIR:
            yield from _pair(*voices)
        elif len(voices) > PAIR:
            yield from _odd(voices)


def _pair(first: _Voice, second: _Voice) -> Iterator[Finding]:
    allowed = _allowed(first, second)
    if allowed is not None and abs(first.value - second.value) > allowed:
        yield _apart(first, second.value, second.measured.channel, allowed)


def _allowed(first: _Voice, second: _Voice) -> float | None:
    for one, other in ((first, second), (second, first)):
        if one.measured.twin == other.measured.channel and one.measured.tolerance is not None:
            return one.measured.tolerance
    if first.accuracy is None or second.accuracy is None:
        return None
    return first.accuracy + second.accuracy


def _odd(voices: list[_Voice]) -> Iterator[Finding]:
    middle = median(voice.value for voice in voices)
    for voice in voices:
        others = [v.accuracy for v in voices if v is not voice and v.accuracy is not None]
        if voice.accuracy is None or not others:
            continue
        allowed = voice.accuracy + max(others)
        if abs(voice.value - middle) > allowed:
            yield _apart(voice, middle, f"the median of {len(voices)} sensors", allowed)


def _apart(voice: _Voice, other: float, whose: str, allowed: float) -> Finding:
    one = voice.measured
    what = (
        f"{one.channel} says {voice.value:g} {one.unit}, {whose} {other:g}: at most"
        f" {allowed:.2g} apart by their stated accuracy"
    )
    reason = "they stand on one pole in the same air, so one of them is wrong"
    remedy = "shade both and let the air through; compare with a third instrument, exchange the odd"
    return Finding(f"twin {one.channel}", what, reason, remedy, f"edgenode why {one.channel}")
