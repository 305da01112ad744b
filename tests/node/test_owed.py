"""What the City OS was told to be wrong it is told the end of, whoever was killed between."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edgenode.reading import EventCode
from edgenode.spool.schedule import ALARM_GAP_MS
from edgenode.virtual.control import send_command
from tests.support.daemons import Place, terminated, until
from tests.support.leftbehind import told

PAST_GAP = ALARM_GAP_MS // 200 + 5  # commits, after the alarm of the boot
SENSOR = (EventCode.SENSOR_LOST, EventCode.SENSOR_FOUND)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    with made.instruments():
        yield made


def seals(place: Place) -> int:
    status = place.status()
    return int(status["spool"]["seals"]) if status else 0


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_a_sensor_that_was_lost_a_moment_before_the_end_is_found_by_the_next_daemon(
    place: Place, end: str
) -> None:
    control = place.directory / "command"
    with place.daemon() as process:
        until(lambda: place.sampled(PAST_GAP), "the next alarm is sealed at once")
        before = seals(place)
        send_command(control, "air", "vanish")
        until(lambda: seals(place) > before, "the alarm is sealed")
        assert place.sensors()["air"]["state"] == "lost"
        if end == "kill":
            process.kill()
            process.wait(10)
        else:
            assert terminated(process) == 0
    send_command(control, "air", "return")
    with place.daemon() as process:
        until(lambda: place.sensors().get("air", {}).get("state") == "ok", "it is read")
        assert terminated(process) == 0
    assert [code for code in told(place) if code in SENSOR] == [*SENSOR]
