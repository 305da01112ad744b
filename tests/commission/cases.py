"""A node with which everything is well, and every way in which it can be amiss."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from edgenode.commission.evidence import (
    Answers,
    CardSeen,
    CertificateSeen,
    Delivery,
    Evidence,
    LinkSeen,
    Measured,
    Place,
    Plan,
    Planned,
    SensorSeen,
    Stranger,
)
from tests.support.documents import STATUS, UTC_MS

DAY_MS = 86_400_000
NODE = "0a1b2c3d"
AIR, OUTDOOR = "WeatherObserved/temperature", "WeatherObserved/atmosphericPressure"
BROKER = "mqtt.city:8883"


def heat(sensor: str, value: float | None, quality: str | None = "ok", **more: Any) -> Measured:
    return Measured(f"{sensor}/temperature", "Cel", AIR, value, quality, **more)


def seen(sensor: str, model: str, *channels: Measured, **more: Any) -> SensorSeen:
    return SensorSeen(sensor, model, "i2c1", more.pop("state", "ok"), channels=channels, **more)


PRESSURE = Measured("air/pressure", "Pa", OUTDOOR, 101_000, "ok")
SENSORS = (
    seen("air", "BME280", heat("air", 11.0), PRESSURE),
    seen("shade", "SHT4x", heat("shade", 10.5)),
    seen("node", "node", Measured("node/wifi_signal", "dBm", "", None, "missing"), health=True),
)
PLANNED = (Planned("air", "BME280", "i2c1"), Planned("shade", "SHT4x", "i2c1"))
LINK = LinkSeen(BROKER, "5", connect_ms=180, acks_ms=(60.0,) * 10, sent=10, repeated=0)
WELL = Evidence(
    node=NODE,
    at_utc_ms=UTC_MS,
    place=Place(52.5, 13.4),
    configured=PLANNED,
    plan=Plan("/etc/edgenode/node.json", 7, PLANNED),
    status=STATUS,
    sensors=SENSORS,
    links=(LINK,),
    delivery=Delivery("city", 2.5),
    machine={"supply_low": 0, "throttled_since_boot": 0, "temperature": 48.0, "disk_free": 4e9},
    card=CardSeen((12.0, 15.0, 40.0)),
    disk_free_bytes=4_000_000_000,
    certificates=(CertificateSeen("/etc/edgenode/tls/node.pem", UTC_MS + 90 * DAY_MS, NODE),),
    answers=Answers("B-17", "photo 12", "yes"),
)


class Case(NamedTuple):
    """What is seen, the key of what must be found, and whether that is only a note."""

    name: str
    evidence: Evidence
    key: str
    note: bool = False


def well(**changes: Any) -> Evidence:
    return replace(WELL, **changes)


def told(**changes: Any) -> Evidence:
    """Return evidence whose status says something else."""
    return well(status=STATUS | changes)


def with_air(*channels: Measured, **more: Any) -> Evidence:
    return well(sensors=(seen("air", "BME280", *channels, **more), *SENSORS[1:]))


def linked(**changes: Any) -> Evidence:
    return well(links=(LINK._replace(**changes),))


def certified(**changes: Any) -> Evidence:
    return well(certificates=(WELL.certificates[0]._replace(**changes),))


def cases() -> Iterator[Case]:
    """Yield every case."""
    yield from _machine()
    yield from _plans()
    yield from _sensors()
    yield from _road()


def _machine() -> Iterator[Case]:
    yield Case("supply is low", well(machine={"supply_low": 1}), "supply")
    yield Case("supply was low", well(machine={"throttled_since_boot": 5}), "supply", True)
    yield Case("hot", well(machine={"temperature": 84.0}), "heat")
    yield Case("disk refuses", well(card=CardSeen(problem="read-only")), "card")
    yield Case("card stalls", well(card=CardSeen((10.0, 6_000.0))), "card speed")
    yield Case("card is slow", well(card=CardSeen((250.0, 260.0))), "card speed", True)
    yield Case("card is worn", well(machine={"card_life_used": 90.0}), "card life")
    yield Case("card wears", well(machine={"card_life_used": 60.0}), "card life", True)
    yield Case("disk is full", well(disk_free_bytes=20_000_000), "disk")
    left = {"directory": "/var/lib/edgenode/spool/00ff", "node": "aa55", "bytes": 5 << 20}
    spool = STATUS["spool"] | {"left": [left]}
    yield Case("another's spool", told(spool=spool), "left 00ff", True)
    yield Case("mistake", well(problems=("node.toml:3: site.nam: unknown",)), "configuration 1")
    yield Case("bare port", well(warnings=("ttyUSB0 moves",)), "warning 1", True)
    yield Case("no clock", told(clock="none", clock_err_ms=None), "clock")
    yield Case("clock is far off", told(clock="manual", clock_err_ms=90_000), "clock")
    yield Case("clock is vague", told(clock="gnss", clock_err_ms=1_500), "clock", True)
    yield Case("no certificate", certified(problem="is no certificate in PEM"), "certificate")
    yield Case("another's certificate", certified(name="ffffffff"), "certificate")
    yield Case("expired", certified(until_utc_ms=UTC_MS - DAY_MS), "certificate")
    yield Case("expires", certified(until_utc_ms=UTC_MS + 5 * DAY_MS), "certificate")
    soon = certified(until_utc_ms=UTC_MS + 14 * DAY_MS)
    yield Case("expires soon", soon, "certificate", True)


def _plans() -> Iterator[Case]:
    yield Case("no plan", well(plan=Plan("node.json", problem="is no JSON")), "plan")
    yield Case("not configured", well(configured=PLANNED[:1]), "plan shade")
    other = (PLANNED[0], Planned("shade", "SHT3x", "i2c1"))
    yield Case("another part", well(configured=other), "plan shade")
    more = (*PLANNED, Planned("dust", "SPS30", "i2c1"))
    yield Case("not planned", well(configured=more), "plan dust", True)
    stranger = (Stranger("/dev/ttyUSB0", "9600 8N1 PMS5003", "pms5003"),)
    key = "stranger /dev/ttyUSB0 9600 8N1 PMS5003"
    yield Case("stranger", well(strangers=stranger), key, True)
    yield Case("dead wire", well(unscanned=("/dev/i2c-3: busy",)), "wire /dev/i2c-3: busy", True)


def _sensors() -> Iterator[Case]:
    gone = {"state": "lost", "reason": "no-answer", "detail": "no acknowledge"}
    yield Case("unplugged", with_air(**gone), "sensor air")
    yield Case("wrong part", with_air(reason="wrong-device", state="faulty"), "sensor air")
    yield Case("warms up", with_air(reason="settling", state="settling"), "sensor air", True)
    yield Case("no time", well(unread=("air",)), "sensor air")
    key = "channel air/temperature"
    for quality in ("stuck", "out-of-range", "rate-of-change", "disagrees", "fault", "clamped"):
        yield Case(quality, with_air(heat("air", 11.0, quality)), key)
    for quality in ("settling", "stale", "maintenance", "uncalibrated", "estimated"):
        yield Case(quality, with_air(heat("air", 11.0, quality)), key, True)
    yield Case("all missing", with_air(heat("air", None, "missing")), key)
    yield Case("one missing", with_air(heat("air", None, "missing"), PRESSURE), key, True)
    yield Case("never read", with_air(heat("air", None, None)), key)
    high = PRESSURE._replace(value=120_000.0)
    yield Case("pressure", with_air(heat("air", 11.0), high), "plausible air/pressure")
    sun = well(sensors=(seen("air", "BME280", heat("air", 55.0)), SENSORS[2]))
    yield Case("in the sun", sun, "plausible air/temperature")
    yield Case("twins", with_air(heat("air", 13.0)), "twin air/temperature")
    third = seen("roof", "TMP117", heat("roof", 10.6))
    odd = well(sensors=(*with_air(heat("air", 13.0)).sensors, third))
    yield Case("odd one of three", odd, "twin air/temperature")


def _road() -> Iterator[Case]:
    away: dict[str, Any] = {"problem": "no daemon answers", "systemd": None}
    gone = well(status=None, sensors=(), delivery=None, absent=away)
    yield Case("no daemon", gone, "daemon")
    yield Case("not ours to ask", well(status=None, refused="not yours to ask"), "daemon")
    damaged = {"spools": [{"spool": "ab", "problem": "", "damaged": 2}]}
    yield Case("damaged spool", replace(gone, spool=damaged), "spool ab")
    yield Case("no broker", linked(problems=(f"{BROKER}: refused",)), "uplink")
    second = LINK._replace(broker="b:1", problems=("no route",))
    yield Case("second broker", well(links=(LINK, second)), "broker b:1", True)
    yield Case("custody", linked(warnings=("best effort",)), f"custody {BROKER}", True)
    yield Case("lossy", linked(acks_ms=(60.0,) * 8), f"link {BROKER}")
    yield Case("segments lost", linked(repeated=4), f"link {BROKER}", True)
    yield Case("slow", linked(acks_ms=(2_500.0,) * 10), f"link {BROKER}", True)
    for reached in ("open", "sealed", "broker"):
        halted = well(delivery=Delivery(reached, 40.2))
        yield Case(f"delivery {reached}", halted, "delivery")
    denied = well(delivery=Delivery("", problem="ask as root"))
    yield Case("not allowed to mark", denied, "delivery")
    problem = {"key": "bus i2c1", "what": "a read hangs", "advice": "unplug", "since_s": 3}
    yield Case("the daemon says so", told(problems=[problem]), "bus i2c1")
    yield Case("dark lamp", well(answers=Answers("B", "p", "no")), "lamp")
    yield Case("unseen lamp", well(answers=Answers("B", "p", "unseen")), "lamp", True)
    yield Case("no mounting", well(answers=Answers("B", "", "yes")), "mounting", True)
