"""What the evidence about one channel amounts to: a verdict in one sentence, and what to do."""

from __future__ import annotations

from typing import Any, NamedTuple

from edgenode.advice import LEAK, QUALITIES, REASONS, WORN
from edgenode.cli.words import number, quantity, span

Evidence = dict[str, Any]

LATE_PERIODS = 3  # a reading that is older than so many intervals is late
LATE_LEAST_S = 10
WHOLE = 100  # % of a life


class Verdict(NamedTuple):
    """Whether a channel can be trusted, why, and what to do, most useful first."""

    ok: bool
    sentence: str
    advice: tuple[str, ...]


def judged(found: Evidence) -> Verdict:
    """Judge the evidence of docs/cli.md, `edgenode why`: what explains most comes first."""
    name = found["channel"]
    for judge in (_bus, _sensor, _work, _nothing, _late, _doubted):
        verdict = judge(found)
        if verdict is not None:
            return verdict
    value = quantity(found["value"], found["scale"], found["unit"])
    told = f"{name} can be trusted: {value}, {span(found['age_s'])} old"
    leak = found.get("leak")
    if leak and leak["flows_s"] is not None:
        flows = span(leak["flows_s"])
        what = f"{told}, and it has grown for {flows} without a pause: a leak is suspected"
        return Verdict(True, what, (LEAK,))
    if found["clock"]["source"] == "none":
        return Verdict(
            True,
            f"{told}; when it was measured is not known yet",
            ("let the node reach an NTP server; the readings wait for it",),
        )
    return Verdict(True, told, ())


def _bus(found: Evidence) -> Verdict | None:
    if not found["bus_stuck"]:
        return None
    what = f"a read on bus {found['bus']} does not return, so nothing on it can be read"
    return Verdict(False, what, (REASONS["bus-stuck"],))


def _sensor(found: Evidence) -> Verdict | None:
    state, sensor = found["state"], found["sensor"]
    if state not in {"lost", "faulty"}:
        return None
    last = found["last_failure"] or {"reason": "no-answer", "detail": ""}
    detail = f" ({last['detail']})" if last["detail"] else ""
    next_s = found["breaker"]["next_try_s"]
    again = "" if next_s is None else f"; the next try is in {span(next_s)}"
    what = f"sensor {sensor} is {state}: {last['reason']}{detail}{again}"
    advice = REASONS.get(last["reason"], REASONS["no-answer"])
    return Verdict(False, what, (advice, f"then, to see at once: edgenode read {sensor}"))


def _work(found: Evidence) -> Verdict | None:
    visit = found["maintenance"]
    if not visit and found["quality"] != "maintenance":
        return None
    left = f" for {span(visit['left_s'])} more" if visit else ""
    what = f"somebody works on this node{left}: what is read is marked and does not count"
    return Verdict(False, what, ("it ends by itself; sooner by: edgenode maintenance off",))


def _nothing(found: Evidence) -> Verdict | None:
    if found["quality"] is not None:
        return None
    what = f"{found['channel']} has not been read since the daemon started"
    return Verdict(False, what, (f"ask now: edgenode read {found['sensor']}",))


def _late(found: Evidence) -> Verdict | None:
    most_s = max(LATE_LEAST_S, LATE_PERIODS * found["every_ms"] / 1000)
    age_s = found["age_s"]
    if age_s is None or age_s <= most_s:
        return None
    what = (
        f"the newest reading of {found['channel']} is {span(age_s)} old; there should be one"
        f" every {found['every_ms'] / 1000:g} s"
    )
    return Verdict(False, what, (f"look at bus {found['bus']}: edgenode status",))


def _doubted(found: Evidence) -> Verdict | None:
    quality = found["quality"]
    if quality == "ok":
        return None
    what = f"{found['channel']} is {quality}{_figures(quality, found)}"
    if quality == "missing" and found["state"] == "ok":
        what = f"sensor {found['sensor']} answers, but gives no value for {found['channel']}"
        return Verdict(False, what, ("this part or this board may not have it: docs/drivers.md",))
    life = found.get("life")
    if quality == "uncalibrated" and life and life["used_percent"] >= WHOLE:
        worked = f"has worked {life['hours']:.0f} h and lasts {life['of_hours']:.0f} h"
        return Verdict(False, f"{what}: its {life['what']} {worked}", (WORN,))
    return Verdict(False, what, (QUALITIES.get(quality, f"see {quality} in docs/cli.md"),))


def _figures(quality: str, found: Evidence) -> str:
    """Return the number that led to a quality, where the evidence has it."""
    scale, unit = found["scale"], found["unit"]
    stuck, rate, twin, settling = (found[key] for key in ("stuck_at", "rate", "twin", "settling"))
    if quality == "stuck" and stuck and stuck["unchanged_s"] is not None:
        return (
            f": the same value for {span(stuck['unchanged_s'])}, at most {span(stuck['limit_s'])}"
        )
    if quality == "rate-of-change" and rate and rate["per_s"] is not None:
        return f": {rate['per_s']:g} {unit} a second, at most {rate['limit_per_s']:g}"
    if quality == "disagrees" and twin and None not in (twin["difference"], twin["tolerance"]):
        off = number(twin["difference"], scale)
        return f": {off} {unit} from {twin['channel']}, at most {twin['tolerance']:g}"
    if quality == "settling" and settling and settling["left_s"] is not None:
        return f" for {span(settling['left_s'])} more"
    if quality in {"out-of-range", "clamped"}:
        return f": {quantity(found['value'], scale, unit)}, allowed {allowed(found['range'], unit)}"
    return ""


def allowed(limits: dict[str, Any], unit: str) -> str:
    """Return the range that holds in the end: of the part, tightened by the file."""
    lows = [limits[key] for key in ("low", "limit_low") if limits[key] is not None]
    highs = [limits[key] for key in ("high", "limit_high") if limits[key] is not None]
    if not lows and not highs:
        return "any value"
    low = f"{max(lows):g}" if lows else "any"
    high = f"{min(highs):g}" if highs else "any"
    return f"{low} to {high} {unit}"
