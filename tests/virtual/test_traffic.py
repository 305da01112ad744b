"""The instruments of traffic: what their drivers read is what the log of truth says passed."""

from __future__ import annotations

import json
import select
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from drivers.ld2451 import LD2451, LD2451Options
from drivers.ops243 import OPS243, OPS243Options
from drivers.tfluna import LidarOptions, TFLuna
from edgenode.bus import SerialBus
from edgenode.errors import BusError
from edgenode.reading import SerialLine
from edgenode.virtual import parse, send_command
from edgenode.virtual.ld2451 import Ld2451Spec, VirtualLD2451
from edgenode.virtual.ops243 import Ops243Spec, VirtualOPS243
from edgenode.virtual.series import Play
from edgenode.virtual.tfluna import TfLunaSpec, VirtualTFLuna
from edgenode.virtual.truth import Truth
from tests.support.beds import Bed, Cable, play
from tests.support.instruments import street

MINUTES = 20
FLOWS: Any = {"toward": Play(offset=10), "away": Play(offset=7)}


class Log:
    """A bed whose truth is kept."""

    def __init__(self, directory: Path) -> None:
        self.bed, self.path = Bed(), directory / "truth"
        self.bed.truth = Truth(self.path)

    def rows(self) -> dict[str, list[float]]:
        found = defaultdict(list)
        for line in self.path.read_text("utf-8").splitlines():
            note = json.loads(line)
            found[note["channel"]].append(note["value"])
        return found


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path)


def played(log: Log, instrument: Any, driver: Any, options: Any) -> dict[str, list[Any]]:
    """Return what the driver tells in so many minutes, channel by channel."""
    wire = Cable(log.bed, instrument, SerialLine())
    sensor = driver(wire, options, clock=log.bed.clock)
    sensor.read(log.bed.now_ms)
    samples = [play(log.bed, wire, sensor, 60_000).sample for _ in range(MINUTES)]
    names = [channel.name for channel in sensor.measures()]
    return dict(zip(names, zip(*(s.values for s in samples), strict=True), strict=True))


@pytest.mark.parametrize("reports", ["speed", "detected", "object"])
@pytest.mark.parametrize(("units", "in_json"), [("K", True), ("M", False), ("S", True)])
def test_an_ops243_is_read_in_all_that_it_can_say(
    log: Log, reports: Any, units: Any, *, in_json: bool
) -> None:
    spec = Ops243Spec("road", reports=reports, units=units, in_json=in_json, **FLOWS)
    part = VirtualOPS243(spec, log.bed.truth, log.bed.now_ns)
    told, truth = played(log, part, OPS243, OPS243Options()), log.rows()
    for way in ("toward", "away"):
        assert sum(told[f"vehicles_{way}"]) == sum(truth[f"road/vehicles_{way}"][:MINUTES])
        for mean, known in zip(told[f"speed_{way}"], truth[f"road/speed_{way}"], strict=False):
            assert mean == pytest.approx(known, abs=0.05)


@pytest.mark.parametrize("quiet", [False, True])
def test_an_ld2451_counts_each_vehicle_once(log: Log, *, quiet: bool) -> None:
    spec = Ld2451Spec("road", quiet=quiet, **FLOWS)
    part = VirtualLD2451(spec, log.bed.truth, log.bed.now_ns)
    told, truth = played(log, part, LD2451, LD2451Options()), log.rows()
    for way in ("toward", "away"):
        known = truth[f"road/vehicles_{way}"][:MINUTES]
        assert sum(told[f"vehicles_{way}"]) == pytest.approx(sum(known), abs=2), "in the last row"
        speeds = truth[f"road/speed_{way}"][:MINUTES]
        assert sum(told[f"speed_{way}"]) == pytest.approx(sum(speeds), rel=0.02)


def test_a_tfluna_sees_what_passes_below(log: Log) -> None:
    spec = TfLunaSpec("lane", vehicles=Play(offset=12), speed=Play(offset=50))
    part = VirtualTFLuna(spec, log.bed.truth, log.bed.now_ns)
    options = LidarOptions(nearer_cm=500, mount_cm=600)
    told, truth = played(log, part, TFLuna, options), log.rows()
    assert sum(told["vehicles"]) == sum(truth["lane/vehicles"][:MINUTES])
    assert sum(told["headway"]) / MINUTES == pytest.approx(5, rel=0.05)
    assert all(1.5 <= height <= 3.5 for height in told["height"])
    for headway, gap in zip(told["headway"], told["gap"], strict=True):
        assert gap < headway + 1


def test_a_radar_obeys_its_commands_and_is_mute_while_configured(log: Log) -> None:
    radar = VirtualOPS243(Ops243Spec("a"), log.bed.truth, log.bed.now_ns)
    assert radar.hear(b"U?", 0) == b'{"Units": "m-per-sec"}\r\n'
    assert radar.hear(b"xUS", 0) == b'{"Units": "mph"}\r\n'
    assert radar.hear(b"?P", 0) == b'{"Product": "OPS243 Doppler"}\r\n'
    other = VirtualLD2451(Ld2451Spec("b"), log.bed.truth, log.bed.now_ns)
    assert other.next_ns() is not None
    enable = bytes.fromhex("fdfcfbfa 0400 ff00 0100 04030201")
    assert other.hear(enable[:5], 0) == b""
    assert other.hear(enable[5:], 0)[6:8] == b"\xff\x01"
    assert other.next_ns() is None
    other.hear(bytes.fromhex("fdfcfbfa 0200 fe00 04030201"), log.bed.now_ns)
    assert other.next_ns() == log.bed.now_ns + 100_000_000


@pytest.mark.parametrize(
    ("kind", "driver", "options"),
    [
        ("ops243", OPS243, OPS243Options()),
        ("ld2451", LD2451, LD2451Options()),
        ("tfluna", TFLuna, LidarOptions(nearer_cm=500)),
    ],
)
def test_each_is_read_through_sockets_and_ends_when_it_is_unplugged(
    tmp_path: Path, kind: str, driver: Any, options: Any
) -> None:
    scenario = parse(f'[[instrument]]\nkind = "{kind}"\nsensor = "road"\nbus = "road"\n')
    with street(tmp_path, scenario) as here:
        sensor = driver(SerialBus(here.path("road")).lease(driver.line), options)
        assert len(sensor.read(0).values) == len(sensor.measures())
        send_command(here.control, "road", "vanish")
        with pytest.raises(BusError):
            fed_for_ever(sensor)
        sensor.close()


def fed_for_ever(sensor: Any) -> None:
    """Feed it as the bus thread does, until it says that its port is gone."""
    for now_ms in range(0, 10_000, 10):
        descriptors = [sensor.fileno()] if sensor.fileno() >= 0 else []
        select.select(descriptors, [], [], sensor.pace_s or 1)
        sensor.feed(now_ms)


def test_they_stand_in_scenarios() -> None:
    text = "".join(
        f'[[instrument]]\nkind = "{kind}"\nsensor = "{kind}"\nbus = "{kind}"\n'
        for kind in ("ops243", "ld2451", "tfluna")
    )
    bauds = [getattr(spec, "baud", 0) for spec in parse(text).instrument]
    assert bauds == [19_200, 115_200, 115_200]
