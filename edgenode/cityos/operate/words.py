"""What an operator reads beside the names of qualities, gaps and clocks."""

from __future__ import annotations

QUALITIES = {
    "ok": "as it should be",
    "stale": "the sensor talks less often than it is asked",
    "out-of-range": "beyond what the sensor can mean",
    "estimated": "computed, not measured",
    "fault": "the answer was damaged or nonsense; no number",
    "missing": "the sensor gave no answer; no number",
    "uncalibrated": "its calibration is not known or no longer valid",
    "maintenance": "somebody worked at the node",
    "suppressed-privacy": "withheld for privacy; no number",
    "clamped": "the sensor is at the end of its range",
    "rate-of-change": "changed faster than nature does",
    "settling": "just switched on, not steady yet",
    "stuck": "the same number for longer than is natural",
    "disagrees": "unlike its twin beside it",
}
GAPS = {
    "held": "still at the node; it comes when its link allows",
    "unexplained": "nobody says why: ask the node's maker",
    "disk-full": "evicted: the node's disk was full, the oldest went first",
    "ttl": "asked for again after the node had let it go",
    "corrupt": "damaged on the node's card",
    "privacy": "withheld for privacy",
    "manual": "deleted by a person",
    "thinned": "left out to save room",
    "ring-overflow": "overflown: dropped from memory while the disk took nothing",
}
CLOCKS = {
    "none": "nobody; only an interval is known",
    "rtc": "a battery-backed clock",
    "ntp-unsynced": "a network clock that had not settled",
    "ntp": "the network (NTP)",
    "ptp": "the network (PTP)",
    "gnss": "a satellite receiver",
    "manual": "a person",
    "city": "the city's platform",
}
STATES = {
    "online": "connected",
    "offline": "not connected",
    "silent": "silent",
    "unknown": "no state was told",
}
STREAMS = ("measurements", "events", "the node's health", "audit")


def count(number: int, thing: str) -> str:
    """Return "1,200 readings"."""
    plural = "es" if thing.endswith("ch") else "s"
    return f"{number:,} {thing}{'' if number == 1 else plural}"


def number(value: float | None) -> str:
    """Return a number with at most 6 digits that matter."""
    return "-" if value is None else f"{value:,.6g}"


def span(ms: float) -> str:
    """Return a length of time in its two largest units."""
    if ms < 1_000:
        return f"{ms:.0f} ms"
    if ms < 60_000:
        return f"{ms / 1000:.3g} s"
    left, found = int(ms // 1000), []
    for name, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        whole, left = divmod(left, size)
        if whole:
            found.append(f"{whole} {name}")
    return " ".join(found[:2])


def size(count: float) -> str:
    """Return bytes in the largest decimal unit that fits."""
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= unit:
            return f"{count / unit:.3g} {name}"
    return f"{count:.0f} B"


def share(part: float, whole: float) -> str:
    """Return a part in %, and never 100 % or 0 % of what is not all or nothing."""
    if not whole:
        return "-"
    percent = 100 * part / whole
    if 0 < percent < 0.1:
        return "< 0.1 %"
    if 99.9 < percent < 100:
        return "> 99.9 %"
    return f"{percent:.1f} %"
