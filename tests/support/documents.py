"""The documents of docs/cli.md as a daemon would answer them, and a daemon that does."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edgenode.control import Control, unknown, verbs_of
from tests.support.disclosed import document

UTC_MS = 1_795_000_000_000  # 2026-11-18T11:06:40Z

SENSOR: dict[str, Any] = {
    "sensor": "air", "state": "ok", "reason": None, "detail": "", "reads": 3600, "failures": 2,
    "missed": 1, "opens": 2, "last_ok_ms": 7_199_000, "breaker": "closed", "retry_ms": None,
    "reasons": {"no-answer": 2}, "rungs": {"reopen": {"tried": 1, "helped": 1}},
}  # fmt: skip

STATUS: dict[str, Any] = {
    "format": 1, "version": "0.1.0", "node": "0a1b2c3d", "health": "well",
    "since_s": 7000, "since_utc_ms": UTC_MS - 7_000_000, "up_s": 7200,
    "utc_ms": UTC_MS, "boot_ms": 7_200_000, "clock": "ntp", "clock_err_ms": 4,
    "problems": [], "maintenance": None,
    "budget": {
        "day_bytes": 1_200_000, "month_bytes": 30_000_000,
        "day_limit_bytes": 5_000_000, "month_limit_bytes": None, "state": "within",
    },
    "restarts": [
        {"utc_ms": UTC_MS - 7_200_000, "what": "boot", "cause": "sudden"},
    ],
    "recovery": {"restart": 0, "reboot": 0},
    "buses": [
        {
            "bus": "i2c1", "stuck": False, "times_stuck": 0, "lateness_ms_p50": 1,
            "lateness_ms_p99": 3, "stuck_since_ms": None, "silent_since_ms": None,
            "rungs": {
                "retry": {"tried": 4, "helped": 3}, "reopen": {"tried": 1, "helped": 1}
            },
            "levers": [], "sensors": [SENSOR],
        }
    ],
    "spool": {
        "spool": "00" * 8, "epoch": 3, "degraded": "", "cap_bytes": 268_435_456,
        "used_bytes": 26_843_546, "held_batches": 12, "unconfirmed_batches": 2,
        "window_readings": 40, "oldest_ms": 600_000, "readings": 7200, "events": 3,
        "commits": 1440, "sampled": True, "seals": 120, "sealed_bytes": 72_000,
        "written_bytes": 9_000_000, "evicted_readings": 0, "overflow_readings": 0,
        "pruned_batches": 108, "resent_batches": 0, "written_bytes_per_day": 108_000_000,
        "wear_budget_bytes_per_day": 500_000_000, "lifetime_written_bytes": 40_000_000_000,
        "sealed_bytes_per_day": 864_000, "outage_days_left": 248.5, "drains": 0, "totals": {},
        "quarantined": [], "left": [],
    },
    "uplink": {
        "connected": True, "broker": "mqtt.city:8883", "protocol": "5", "since_ms": 3000,
        "sent": 122, "acked": 120, "in_flight": 2, "city_acks": 60, "last_puback_ms": 7_198_500,
        "last_ack_ms": 7_190_000, "parked": 0, "refused": 0, "set_aside": 0, "resends": 0,
        "paused": False, "last_error": "", "bytes_sent": 90_000, "connections": 1,
    },
}  # fmt: skip

CHANNEL: dict[str, Any] = {
    "channel": "air/temperature", "unit": "Cel", "scale": -2, "kind": "gauge", "value": 21.5,
    "quality": "ok", "age_s": 1, "purpose": "heat on the square", "derived": False,
    "calibration": "K-17",
}  # fmt: skip
HUMIDITY = CHANNEL | {
    "channel": "air/humidity", "unit": "%RH", "value": None, "quality": "missing",
    "calibration": None,
}  # fmt: skip
SENSORS: dict[str, Any] = {
    "format": 1, "utc_ms": UTC_MS,
    "sensors": [
        {
            "sensor": "air", "driver": "sht4x", "grade": "oracle", "bus": "i2c1", "state": "ok",
            "reason": None,
            "detail": "", "every_ms": 1000, "purpose": "heat on the square", "serial": "",
            "reads": 3600, "failures": 2, "missed": 1, "opens": 2, "last_ok_s": 1,
            "channels": [CHANNEL, HUMIDITY],
        }
    ],
}  # fmt: skip

READ: dict[str, Any] = {
    "format": 1, "utc_ms": UTC_MS, "sensor": "air", "took_ms": 12, "age_s": 0, "fresh": True,
    "reason": None, "detail": "",
    "channels": [
        {"channel": "air/temperature", "unit": "Cel", "scale": -2, "value": 21.5, "quality": "ok"}
    ],
}  # fmt: skip

WHY: dict[str, Any] = {
    "format": 1, "utc_ms": UTC_MS, "channel": "air/temperature", "sensor": "air", "bus": "i2c1",
    "driver": "sht4x", "unit": "Cel", "scale": -2, "purpose": "heat on the square",
    "state": "ok", "every_ms": 1000, "value": 21.5, "quality": "ok", "age_s": 1,
    "last_ok": {"ago_s": 1, "utc_ms": UTC_MS - 1000},
    "reads": 3600, "failures": 2, "missed": 1, "by_reason": {"no-answer": 2},
    "by_rung": {"retry": {"tried": 4, "helped": 3}, "reopen": {"tried": 1, "helped": 1}},
    "last_failure": {"reason": "no-answer", "detail": "no acknowledge", "ago_s": 900},
    "breaker": {"state": "closed", "next_try_s": None},
    "bus_stuck": False, "settling": None,
    "range": {"low": -40.0, "high": 125.0, "limit_low": None, "limit_high": 60.0},
    "stuck_at": {"unchanged_s": 3, "limit_s": 600.0},
    "rate": {"per_s": 0.01, "limit_per_s": 0.5},
    "twin": {
        "channel": "roof/temperature", "value": 21.3, "difference": 0.2, "tolerance": 1.0
    },
    "calibration": {"id": "K-17", "date": "2026-03-01"},
    "clock": {"source": "ntp", "err_ms": 4}, "maintenance": None,
    "history": [],
}  # fmt: skip

HISTORY: dict[str, Any] = {
    "format": 1, "utc_ms": UTC_MS, "kept_from_utc_ms": None,
    "entries": [
        {
            "key": "sensor air", "what": "sensor air on bus i2c1 was lost: no answer",
            "since_utc_ms": UTC_MS - 90_000_000, "until_utc_ms": UTC_MS - 86_400_000,
            "lasted_s": 3600, "open": False, "epoch": 2, "times": 4,
        },
        {
            "key": "link", "what": "no broker was connected",
            "since_utc_ms": UTC_MS - 600_000, "until_utc_ms": None, "lasted_s": None,
            "open": True, "epoch": 3, "times": 1,
        },
    ],
}  # fmt: skip


class Played:
    """A daemon that answers with documents a test may change, and notes what it was asked."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.status, self.sensors = copy.deepcopy(STATUS), copy.deepcopy(SENSORS)
        self.read, self.why = copy.deepcopy(READ), copy.deepcopy(WHY)
        self.history = copy.deepcopy(HISTORY)
        self.reload: dict[str, Any] = {"format": 1, "changed": [], "problems": []}
        self.disclose = document(utc_ms=UTC_MS)
        self.text = "# EOF\n"
        self.asked: list[Mapping[str, Any]] = []

    def control(self) -> Control:
        return Control(
            self.path,
            verbs_of(
                {
                    "status": lambda _: self.status,
                    "sensors": lambda _: self.sensors,
                    "read": self._read,
                    "why": self._why,
                    "history": self._history,
                    "maintenance": self._maintenance,
                    "metrics": lambda _: {"format": 1, "text": self.text},
                    "reload": lambda _: self.reload,
                    "disclose": lambda _: self.disclose,
                }
            ),
        )

    def _read(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        if given["sensor"] != "air":
            raise unknown("sensor", given["sensor"], ["air"])
        return self.read

    def _why(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        if given["channel"] != "air/temperature":
            raise unknown("channel", given["channel"], ["air/temperature", "air/humidity"])
        return self.why

    def _history(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        self.asked.append(given)
        return self.history

    def _maintenance(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        self.asked.append(given)
        minutes = given["minutes"]
        self.status["maintenance"] = (
            {
                "left_s": minutes * 60,
                "since_utc_ms": UTC_MS,
                "until_utc_ms": UTC_MS + minutes * 60_000,
                "why": given.get("why", ""),
            }
            if minutes
            else None
        )
        return {"format": 1, "utc_ms": UTC_MS, "maintenance": self.status["maintenance"]}


@contextmanager
def played(directory: Path) -> Iterator[Played]:
    """Serve the documents on a socket in `directory`."""
    daemon = Played(directory / "s")
    control = daemon.control()
    control.start()
    try:
        yield daemon
    finally:
        control.close()
        control.join(5)
