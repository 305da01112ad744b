"""Serial ports by name: the kernel's numbers move, udev's links do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgenode.bus.ports import is_bare, stable_name


@pytest.fixture
def dev(tmp_path: Path) -> Path:
    """A /dev with two adapters; only the first has an identity of its own."""
    for kind in ("by-id", "by-path"):
        (tmp_path / "serial" / kind).mkdir(parents=True)
    for name in ("ttyUSB0", "ttyUSB1", "ttyUSB2"):
        (tmp_path / name).touch()
    (tmp_path / "serial/by-id/usb-FTDI_A1-if00-port0").symlink_to("../../ttyUSB0")
    (tmp_path / "serial/by-path/platform-usb-0:1.1:1.0-port0").symlink_to("../../ttyUSB0")
    (tmp_path / "serial/by-path/platform-usb-0:1.2:1.0-port0").symlink_to("../../ttyUSB1")
    return tmp_path


def test_the_name_by_identity_comes_first(dev: Path) -> None:
    name = stable_name("/dev/ttyUSB0", str(dev))
    assert name == f"{dev}/serial/by-id/usb-FTDI_A1-if00-port0"


def test_the_name_by_socket_serves_an_adapter_without_identity(dev: Path) -> None:
    name = stable_name("/dev/ttyUSB1", str(dev))
    assert name == f"{dev}/serial/by-path/platform-usb-0:1.2:1.0-port0"


@pytest.mark.parametrize("path", ["/dev/ttyUSB2", "/dev/ttyUSB9", "/dev/ttyS0"])
def test_a_port_without_a_link_has_no_stable_name(dev: Path, path: str) -> None:
    assert stable_name(path, str(dev)) is None


def test_a_link_to_an_adapter_that_was_pulled_out_is_no_name(dev: Path) -> None:
    (dev / "ttyUSB0").unlink()
    assert stable_name("/dev/ttyUSB0", str(dev)) is None


def test_a_machine_without_udev_has_no_stable_names(tmp_path: Path) -> None:
    (tmp_path / "ttyUSB0").touch()
    assert stable_name("/dev/ttyUSB0", str(tmp_path)) is None


@pytest.mark.parametrize("path", ["/dev/ttyUSB0", "/dev/ttyACM12"])
def test_a_number_given_in_the_order_of_plugging_is_bare(path: str) -> None:
    assert is_bare(path)


@pytest.mark.parametrize(
    "path",
    [
        "/dev/serial/by-id/usb-FTDI_A1-if00-port0",
        "/dev/ttyAMA0",
        "/dev/ttyS0",
        "/dev/ttyUSB",
        "sim:/run/wires#meters",
    ],
)
def test_what_does_not_move_is_not_bare(path: str) -> None:
    assert not is_bare(path)
