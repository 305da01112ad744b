"""At the pole: the real daemon over virtual wires, a real broker and a real receiver."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edgenode.cityos.operate.commissioned import commissioned
from edgenode.cityos.sink import Sink
from edgenode.virtual.control import send_command
from tests.support.city import City
from tests.support.commissioning import NODE, Pole, stood
from tests.support.mosquitto import Mosquitto
from tests.support.ports import until

PLAN = (("air", "bme280"), ("shade", "sht4x"))
OFF = """
[sensor.channel.temperature.calibration]
id = "K-1"
date = "2026-11-01"
offset = 4.0
"""


@pytest.fixture(scope="module")
def pole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Pole, Mosquitto, Path]]:
    with stood(tmp_path_factory.mktemp("pole")) as made:
        made[0].plan(*PLAN)
        yield made


def fixes(document: dict[str, Any]) -> set[str]:
    return {finding["key"] for finding in document["findings"] if not finding["note"]}


def certificate(pole: Pole) -> Path:
    path = pole.directory / "node.pem"
    words = ["openssl", "req", "-x509", "-key", str(pole.key), "-subj", f"/CN={NODE}"]
    subprocess.run([*words, "-days", "1", "-out", str(path)], check=True, capture_output=True)
    return path


def asked_city(db: Path, *words: str) -> tuple[int, dict[str, Any]]:
    """Ask the City OS as its operator would; return the exit code and the object."""
    command = [sys.executable, "-m", "edgenode", "cityos", *words, "--db", str(db), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_a_node_that_works_passes_and_the_city_can_prove_that_it_did(
    pole: tuple[Pole, Mosquitto, Path],
) -> None:
    node, _, db = pole
    label = node.directory / "label.svg"
    words = ("--installer", "B-17", "--mounting", "photo 12", "--label", str(label))
    code, found = node.told("commission", *words)
    assert fixes(found) == set()
    assert (code, found["verdict"], found["unsigned"], found["unsent"]) == (0, "PASS", None, None)
    assert found["delivery"]["reached"] == "city"
    assert found["links"][0]["sent"] == len(found["links"][0]["acks_ms"]) == 10
    assert len(found["flush_ms"]) == 24
    assert label.read_text().startswith("<?xml")
    record = Path(found["record"]).read_text()
    bare = bytes.fromhex(NODE)

    def arrived() -> bool:
        with Sink.open(db, readonly=True) as sink:
            told = commissioned(sink, bare)
        return told is not None and told.text == record

    until(arrived, "the record in the city")
    code, told = asked_city(db, "commissioned", NODE, "--cert", str(certificate(node)))
    assert (code, told["doubt"]) == (0, "")
    assert told["record"]["answers"]["installer"] == "B-17"
    assert told["record"]["plan"] == {"serial": 7, "sensors": 2}
    _, row = asked_city(db, "nodes")
    assert row["commissioned"] == {
        "at_utc_ms": told["record"]["at_utc_ms"], "verdict": "PASS", "signed": True
    }  # fmt: skip


def test_an_unplugged_sensor_is_named_and_the_doctor_changes_nothing(
    pole: tuple[Pole, Mosquitto, Path],
) -> None:
    node, _, _ = pole
    before = (node.directory / "state" / "commission.json").read_bytes()
    send_command(node.directory / "command", "air", "nack")
    try:
        until(lambda: fixes(node.told("doctor")[1]) == {"sensor air"}, "the sensor is missed")
    finally:
        send_command(node.directory / "command", "air", "return")
    until(lambda: node.told("doctor")[0] == 0, "the sensor is back")
    assert (node.directory / "state" / "commission.json").read_bytes() == before


def reloaded(node: Pole) -> None:
    command = [sys.executable, "-m", "edgenode", "reload", "--socket", str(node.socket)]
    subprocess.run(command, check=True, capture_output=True, timeout=30)


def test_another_part_at_the_address_and_another_than_was_planned_are_told(
    pole: tuple[Pole, Mosquitto, Path],
) -> None:
    node, _, _ = pole
    right = node.config.read_text()
    node.config.write_text(right.replace('driver = "bme280"', 'driver = "bmp280"'))
    reloaded(node)
    try:
        wanted = {"sensor air", "plan air"}
        until(lambda: fixes(node.told("doctor")[1]) == wanted, "the wrong part is told")
        found = node.told("doctor")[1]["findings"]
        [what] = [one["what"] for one in found if one["key"] == "sensor air"]
        assert "wrong-device" in what
    finally:
        node.config.write_text(right)
        reloaded(node)


def test_twins_that_differ_by_more_than_their_accuracy_are_told(
    pole: tuple[Pole, Mosquitto, Path],
) -> None:
    node, _, _ = pole
    node.configure(also=OFF)  # of the last sensor, in the shade
    reloaded(node)
    try:
        wanted = {"twin air/temperature"}
        until(lambda: fixes(node.told("doctor")[1]) == wanted, "the twins are told")
    finally:
        node.configure()
        reloaded(node)


def test_without_a_word_of_the_city_delivery_fails_and_the_rest_passes_but_for_the_clock(
    tmp_path: Path,
) -> None:
    with (
        stood(tmp_path, city=False, clock="") as (node, broker, _),
        City(broker.port, silent=True),
    ):
        code, found = node.told("commission", "--wait", "7")
        status = node.status()
        assert status is not None
        clock = {"clock"} if status["clock"] == "none" else set()
        assert code == 1
        assert fixes(found) == {"delivery"} | clock
        assert found["delivery"]["reached"] == "broker"
        assert Path(found["record"]).exists()


def test_without_a_daemon_the_doctor_says_what_can_be_said(tmp_path: Path) -> None:
    with Mosquitto(tmp_path / "broker") as broker:
        node = Pole(tmp_path, broker.port)
        code, found = node.told("doctor")
        assert (code, fixes(found)) == (1, {"daemon"})
        assert found["links"][0]["connect_ms"] is not None
        assert node.ran("commission", "--unattended")[0] == 3
        node.config.write_text("schema = 1\n[nod]\n")
        code, found = node.told("doctor")
        assert code == 1
        assert "configuration 1" in fixes(found)
        assert node.ran("commission")[0] == 2
