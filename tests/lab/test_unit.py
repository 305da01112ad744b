"""The shipped unit on a machine whose first process is systemd: real devices, and no others."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edgenode.forward import built_ms
from tests.lab import manager
from tests.lab.conftest import UNIT, booted
from tests.lab.machine import told
from tests.lab.unit import DISCIPLINED_US, PULSES

pytestmark = [pytest.mark.root, pytest.mark.timeout(400)]


@pytest.fixture(scope="session")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What was found inside."""
    job = booted(tmp_path_factory, UNIT)
    findings: dict[str, Any] = json.loads((job / "findings.json").read_text())
    assert "failed" not in findings, findings["failed"] + told(job)
    return findings


def test_udev_gives_the_devices_to_the_groups_of_the_daemon(found: dict[str, Any]) -> None:
    owners = {bus: listed.split(":")[1:] for bus, listed in found["devices"].items()}
    assert owners == {
        "wire": ["i2c", "660"],
        "port": ["dialout", "660"],
        "pins": ["gpio", "660"],
    }


def test_i2c_a_serial_port_and_gpio_are_read_in_the_sandbox(found: dict[str, Any]) -> None:
    values = found["node"]["values"]
    assert values["air/temperature"] == pytest.approx(21.37, abs=0.02)
    assert values["power/voltage"] == pytest.approx(231.5, abs=0.1)
    assert values["meter/count"] == PULSES


def test_the_daemon_is_nobody_special(found: dict[str, Any]) -> None:
    node = found["node"]
    assert node["user"] == "edgenode"
    assert int(node["capabilities"], 16) == 0
    assert node["seccomp"] == "2"  # a filter


def test_a_device_that_is_not_on_the_list_is_refused_whatever_its_mode(
    found: dict[str, Any],
) -> None:
    refused, opened = found["node"]["probe"]
    assert refused.endswith("/dev/cpu_dma_latency: Operation not permitted")
    assert opened == "opened: /dev/i2c-probe"
    assert found["node"]["outside"] == ""  # the same user, outside of the unit


def test_the_memory_of_the_daemon_is_limited(found: dict[str, Any]) -> None:
    assert (found["node"]["memory_max"], found["node"]["pids_max"]) == (str(192 << 20), "64")
    assert found["node"]["memory"] < 96 << 20
    assert found["memory"] == "oom-kill"


def test_a_clock_that_lost_its_power_goes_on_from_the_last_time_in_the_spool(
    found: dict[str, Any],
) -> None:
    clock = found["clock"]
    knew_ms = built_ms() + manager.KNEW_MS
    assert clock["result"] == "success"
    assert knew_ms < clock["utc_ms"] < knew_ms + clock["up_ms"] + 60_000
    assert clock["set_at"] > 0
    assert all(clock["set_at"] < began for began in clock["then"].values())


def test_nobody_vouches_for_a_clock_that_was_stepped_forward(found: dict[str, Any]) -> None:
    assert found["clock"]["before"][0] == "none"


def test_a_clock_that_is_right_is_never_stepped(found: dict[str, Any]) -> None:
    before, after = found["clock"]["again"]
    assert before == after


def test_the_daemon_learns_that_the_kernels_clock_is_disciplined(found: dict[str, Any]) -> None:
    source, error_ms = found["clock"]["after"]
    assert source == "ntp"
    assert DISCIPLINED_US // 1000 <= error_ms < 2_000
