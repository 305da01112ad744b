"""What this machine says to a configuration."""

import shutil
from pathlib import Path

import pytest

from edgenode.config import Config, parse
from edgenode.config.surroundings import surroundings
from tests.support.toml import DUST, WELL, changed

CARD = "/dev/mmcblk0p3 /var/lib ext4 rw,noatime,commit=60 0 0\n"


def machine(root: Path, mounts: str = CARD, *devices: str) -> Path:
    """A root with a table of mounts and some devices."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/mounts").write_text(f"/dev/root / ext4 rw,relatime 0 0\n{mounts}")
    (root / "dev").mkdir()
    for device in devices:
        (root / "dev" / device).touch()
    return root


def bare(path: str = "/dev/ttyUSB0") -> Config:
    text = WELL.replace('ca = "/etc/edgenode/ca.pem"\n', "") + DUST
    return parse(text.replace("/dev/serial/by-id/dust", path))


def test_a_machine_that_suits_the_file_says_nothing(tmp_path: Path) -> None:
    root = machine(tmp_path, CARD, "i2c-1", "gpiochip0", "ttyAMA0")
    assert surroundings(bare("/dev/ttyAMA0"), root) == []


def test_a_port_that_moves_is_told_with_the_name_that_stays(tmp_path: Path) -> None:
    root = machine(tmp_path, CARD, "i2c-1", "gpiochip0", "ttyUSB0")
    links = root / "dev/serial/by-id"
    links.mkdir(parents=True)
    (links / "usb-dust").symlink_to(root / "dev/ttyUSB0")
    (note,) = surroundings(bare(), root)
    assert note == (
        "bus 'dust': /dev/ttyUSB0 changes with the order of plugging;"
        ' write path = "/dev/serial/by-id/usb-dust"'
    )


def test_a_port_that_moves_and_has_no_stable_name_is_told_where_to_look(tmp_path: Path) -> None:
    root = machine(tmp_path, CARD, "i2c-1", "gpiochip0", "ttyUSB0")
    (note,) = surroundings(bare(), root)
    assert note.endswith("look into /dev/serial/by-id")


def test_a_device_that_is_not_there_is_told(tmp_path: Path) -> None:
    root = machine(tmp_path, CARD, "i2c-1", "ttyAMA0")
    assert surroundings(bare("/dev/ttyAMA0"), root) == [
        "bus 'pins': there is no /dev/gpiochip0 here now"
    ]


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ("ext4 rw,noatime,commit=60", ""),
        ("ext4 rw,noatime,commit=120", ""),
        ("ext4 rw,relatime,commit=60", "without noatime,"),
        ("ext4 rw,noatime", "without commit=60,"),
        ("ext4 rw,noatime,commit=5", "without commit=60,"),
        ("ext4 rw,relatime", "without noatime,commit=60,"),
        ("f2fs rw,noatime", ""),
        ("btrfs rw,relatime", "without noatime,"),
        ("tmpfs rw,noatime", "on tmpfs, which a power cut"),
    ],
)
def test_a_mount_that_wears_the_card_is_told_with_what_to_add(
    tmp_path: Path, options: str, wanted: str
) -> None:
    mounts = f"/dev/mmcblk0p3 /var/lib/edgenode {options} 0 0\n"
    root = machine(tmp_path, mounts, "i2c-1", "gpiochip0", "ttyAMA0")
    notes = surroundings(bare("/dev/ttyAMA0"), root)
    assert len(notes) == bool(wanted)
    assert wanted in "".join(notes)


def test_a_cap_that_the_disk_has_no_room_for_is_told_and_what_is_held_counts_as_room(
    tmp_path: Path,
) -> None:
    state = tmp_path / "state"
    text = WELL.replace("/var/lib/edgenode", str(state))
    disk = shutil.disk_usage(tmp_path)
    big = parse(text + f"[spool]\ncap_mb = {disk.total >> 20}\n")
    (note,) = [n for n in surroundings(big, machine(tmp_path)) if n.startswith("spool.cap_mb")]
    assert f"{disk.total >> 20} MB are asked for" in note
    (state / "spool/0123456789abcdef").mkdir(parents=True)
    with (state / "spool/0123456789abcdef/store.db").open("wb") as store:
        store.truncate(disk.total)
    assert "spool.cap_mb" not in "".join(surroundings(big, tmp_path))


def test_the_mount_that_covers_another_counts(tmp_path: Path) -> None:
    mounts = "/dev/a /var/lib ext4 rw 0 0\n" + CARD
    root = machine(tmp_path, mounts, "i2c-1", "gpiochip0", "ttyAMA0")
    assert surroundings(bare("/dev/ttyAMA0"), root) == []


def test_a_machine_without_a_table_of_mounts_is_no_mistake(tmp_path: Path) -> None:
    assert "node.state" not in "".join(surroundings(bare(), tmp_path))


def test_files_of_the_broker_that_are_missing_or_open_to_all_are_told(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("x")
    secret.chmod(0o644)
    keys = f'ca = "{tmp_path}/none.pem"\npassword_file = "{secret}"'
    config = parse(changed('ca = "/etc/edgenode/ca.pem"', keys))
    notes = surroundings(config, machine(tmp_path, CARD, "i2c-1", "gpiochip0"))
    missing, readable = notes
    assert missing == f"uplink.broker[0].ca: {tmp_path}/none.pem: No such file or directory"
    assert readable.startswith("uplink.broker[0].password_file: everybody on this machine may read")
    assert readable.endswith(f"chmod o= {secret}")


def test_a_credential_is_looked_for_only_where_it_is_used(tmp_path: Path) -> None:
    config = parse(changed('ca = "/etc/edgenode/ca.pem"', 'password_file = "credential:mqtt"'))
    assert surroundings(config, machine(tmp_path, CARD, "i2c-1", "gpiochip0")) == []
