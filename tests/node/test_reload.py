"""A changed file is taken up while the node runs: no more is touched than differs."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edgenode.control import ask
from edgenode.demo.account import account
from edgenode.reading import EventCode
from edgenode.virtual.control import send_command
from tests.support.daemons import Place, terminated, until
from tests.support.leftbehind import evidence, told

SENSOR = {EventCode.SENSOR_LOST, EventCode.SENSOR_FOUND}

AIR = """\
[[sensor]]
name = "air"
"""
MORE = """\
[[bus]]
name = "more"
kind = "i2c"
path = "sim:{directory}/wires#more"
[[sensor]]
name = "roof"
purpose = "a second opinion"
driver = "bme280"
bus = "more"
every_s = 0.1
address = 0x77
"""
ROOF = """\
[[instrument]]
kind = "bme280"
sensor = "roof"
bus = "more"
address = 0x77
every_ms = 100
"""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A node of two buses, and an instrument that its file does not name yet."""
    made = Place(tmp_path)
    scenario = tmp_path / "scenario.toml"
    scenario.write_text(scenario.read_text() + ROOF)
    with made.instruments():
        yield made


def write(place: Place, text: str) -> None:
    place.config.write_text(text)


def reload(place: Place) -> dict[str, Any]:
    return ask(place.socket, "reload", 12)


def problems(place: Place) -> dict[str, str]:
    """What is wrong, by key."""
    status = place.status() or {"problems": []}
    return {problem["key"]: problem["what"] for problem in status["problems"]}


def lost_and_found(place: Place) -> list[int]:
    return [code for code in told(place) if code in SENSOR]


def more(place: Place) -> str:
    return place.config.read_text() + MORE.format(directory=place.directory)


def test_a_new_bus_is_read_and_the_others_miss_nothing(place: Place) -> None:
    with place.daemon() as process:
        until(lambda: place.sampled(3), "three commits")
        before = place.sensors()
        write(place, more(place))
        assert reload(place)["changed"] == ["bus more is new"]
        until(lambda: place.sensors()["roof"]["reads"] > 3, "the new sensor is read")
        after = place.sensors()
        for name in ("air", "loop"):
            assert after[name]["missed"] == before[name]["missed"]
            assert after[name]["opens"] == before[name]["opens"] == 1
            assert after[name]["reads"] > before[name]["reads"]
        assert terminated(process) == 0


def test_a_hang_up_does_the_same(place: Place) -> None:
    with place.daemon() as process:
        until(place.sampled, "a commit")
        write(place, more(place))
        process.send_signal(signal.SIGHUP)
        until(lambda: "roof" in place.sensors(), "the new sensor is known")
        assert terminated(process) == 0
    assert "reloaded: bus more is new" in place.log()


def test_a_file_with_mistakes_changes_nothing_and_says_why(place: Place) -> None:
    with place.daemon() as process:
        until(place.sampled, "a commit")
        write(place, more(place).replace("address = 0x77", "adress = 0x77"))
        answer = reload(place)
        assert answer["changed"] == []
        assert "did you mean 'address'?" in answer["problems"][0]
        assert set(place.sensors()) == {"air", "loop"}
        assert terminated(process) == 0
    assert "not reloaded: " in place.log()


def test_what_only_a_restart_can_change_is_refused_whole(place: Place) -> None:
    with place.daemon() as process:
        until(place.sampled, "a commit")
        write(place, more(place).replace("cap_mb = 8", "cap_mb = 9"))
        answer = reload(place)
        assert answer["problems"] == ["spool.cap_mb needs a restart: systemctl restart edgenode"]
        assert set(place.sensors()) == {"air", "loop"}
        assert terminated(process) == 0


def test_what_makes_one_think_is_logged_once_however_often_the_file_is_read(place: Place) -> None:
    doubt = "the node vouches for its clock"
    with place.daemon() as process:
        until(place.sampled, "a commit")
        assert place.log().count(doubt) == 1
        reload(place)
        assert place.log().count(doubt) == 1
        assert terminated(process) == 0


def test_the_same_file_changes_nothing(place: Place) -> None:
    with place.daemon() as process:
        until(place.sampled, "a commit")
        assert reload(place) == {"format": 1, "changed": [], "problems": []}
        assert terminated(process) == 0


def test_a_sensor_that_is_taken_out_is_gone_and_what_it_said_is_kept(place: Place) -> None:
    with place.daemon() as process:
        write(place, text := more(place))
        until(place.sampled, "a commit")
        reload(place)
        until(lambda: place.sensors()["roof"]["reads"] > 3, "the new sensor is read")
        write(place, text[: text.index('[[bus]]\nname = "more"')])
        assert reload(place)["changed"] == ["bus more is gone"]
        assert set(place.sensors()) == {"air", "loop"}
        assert terminated(process) == 0
    rows = evidence(place, [], 0).rows
    assert sum(row.channel == "roof/temperature" for row in rows) > 3


def test_a_changed_uplink_connects_anew_and_sampling_goes_on(place: Place) -> None:
    with place.daemon() as process:
        until(lambda: (place.status() or {}).get("uplink") is not None, "an uplink")
        before = place.sensors()["air"]
        write(place, place.config.read_text().replace("tls = false", 'tls = false\nusername = "x"'))
        assert reload(place)["changed"] == ["[uplink] changed"]
        until(lambda: place.sensors()["air"]["reads"] > before["reads"] + 3, "sampling goes on")
        assert place.sensors()["air"]["opens"] == 1
        assert terminated(process) == 0


def test_reloading_under_load_costs_no_reading_of_any_bus(place: Place) -> None:
    """A sensor comes and goes ten times; then every reading that was said is on the disk, once."""
    without, with_roof = place.config.read_text(), more(place)
    with place.daemon() as process:
        until(place.sampled, "a commit")
        for _ in range(5):
            for text in (with_roof, without):
                write(place, text)
                assert reload(place)["problems"] == []
                time.sleep(0.1)
        assert terminated(process) == 0
    result = account(evidence(place, [], 0, tolerance_ms=200))
    assert not result.problems
    assert result.matched > 50


def test_a_sensor_that_is_lost_stays_so_over_a_reload_until_it_answers(place: Place) -> None:
    with place.daemon() as process:
        until(place.sampled, "a commit")
        send_command(place.directory / "command", "air", "vanish")
        until(lambda: place.sensors()["air"]["state"] == "lost", "it is lost")
        until(lambda: "sensor air" in problems(place), "the node says so")
        write(place, place.config.read_text().replace(AIR, f"{AIR}stamp_ms = 40\n"))
        assert reload(place)["changed"] == ["bus wire changed"]
        assert place.sensors()["air"]["state"] == "lost"
        send_command(place.directory / "command", "air", "return")
        until(lambda: "sensor air" not in problems(place), "it is found")
        assert terminated(process) == 0
    assert place.log().count("sensor air on bus wire is lost") == 1
    assert place.log().count("sensor air: well again") == 1
    assert lost_and_found(place) == [EventCode.SENSOR_LOST, EventCode.SENSOR_FOUND]


WITHOUT = "tls = false"
CREDENTIAL = f'{WITHOUT}\npassword_file = "credential:mqtt"'


def test_a_credential_that_is_missing_changes_nothing_and_says_why(place: Place) -> None:
    with place.daemon() as process:
        until(lambda: (place.status() or {}).get("uplink") is not None, "an uplink")
        text = place.config.read_text()
        write(place, more(place).replace(WITHOUT, CREDENTIAL))
        answer = reload(place)
        assert answer["changed"] == []
        assert "LoadCredential=mqtt" in answer["problems"][0]
        assert set(place.sensors()) == {"air", "loop"}
        assert (place.status() or {})["uplink"] is not None
        write(place, text)
        assert reload(place) == {"format": 1, "changed": [], "problems": []}
        assert terminated(process) == 0


def test_an_uplink_that_could_not_be_started_is_started_by_the_next_reload(place: Place) -> None:
    text = place.config.read_text()
    write(place, text.replace(WITHOUT, CREDENTIAL))
    with place.daemon() as process:
        until(
            lambda: "LoadCredential=mqtt" in problems(place).get("uplink", ""), "the reason is told"
        )
        write(place, text)
        assert reload(place)["changed"] == ["[uplink] changed"]
        until(lambda: (place.status() or {}).get("uplink") is not None, "an uplink")
        until(lambda: "uplink" not in problems(place), "it is well again")
        assert terminated(process) == 0


def test_a_node_without_a_broker_samples_and_sends_as_soon_as_it_is_told_of_one(
    place: Place,
) -> None:
    text = place.config.read_text()
    broker = text[text.index("[[uplink.broker]]") : text.index("[[bus]]")]
    write(place, text.replace(broker, ""))
    with place.daemon() as process:
        until(lambda: "nothing is sent" in problems(place).get("uplink", ""), "it is told")
        assert (place.status() or {})["uplink"] is None
        write(place, text)
        assert reload(place)["changed"] == ["[uplink] changed"]
        until(lambda: (place.status() or {}).get("uplink") is not None, "an uplink")
        write(place, text.replace(broker, ""))
        assert reload(place)["changed"] == ["[uplink] changed"]
        until(lambda: (place.status() or {})["uplink"] is None, "the uplink is gone")
        assert terminated(process) == 0
