"""Node health over the files of three boards, and over those of the machine that runs this."""

from __future__ import annotations

import time

import psutil  # type: ignore[import-untyped]
import pytest

from drivers.health import Health, HealthOptions
from drivers.health_card import disk_of
from edgenode.bus import open_tree
from edgenode.config.check import fields_of, mistakes
from edgenode.errors import BusError
from edgenode.reading import EventCode, Quality
from tests.drivers.known_health_certificate import FILE, LONG_LIVED
from tests.support.boards import CM4, PC, PI4, FakeTree

NAMES = [channel.name for channel in Health.channels]
ENDS = 2_713_910_399  # of that certificate, in POSIX seconds
OK, MISSING, FAULT = Quality.OK, Quality.MISSING, Quality.FAULT
THROTTLED = "sys/devices/platform/soc/soc:firmware/get_throttled"
ALARM = "sys/class/hwmon/hwmon1/in0_lcrit_alarm"
LIFE = "sys/block/mmcblk0/device/life_time"
RESERVE = "sys/block/mmcblk0/device/pre_eol_info"


def read(tree: FakeTree, options: HealthOptions | None = None) -> dict[str, float | None]:
    sample = Health(tree, options or HealthOptions()).read(0)
    return dict(zip(NAMES, sample.values, strict=True))


def quality(tree: FakeTree) -> dict[str, Quality]:
    return dict(zip(NAMES, Health(tree, HealthOptions()).read(0).quality, strict=True))


def test_a_raspberry_pi_with_an_sd_card() -> None:
    assert read(FakeTree(PI4)) == {
        "temperature": 48.686,
        "supply_low": 0,
        "throttled": 0,
        "throttled_since_boot": 0,
        "memory_available": 3_497_062_400,
        "cpu_busy": None,  # no time has passed
        "disk_free": 12_345_678_000,
        "card_written": 2_147_483_648,
        "card_life_used": None,  # an SD card does not tell
        "wifi_signal": -49,
        "uptime": 350735.47,
        "clock_error": 7,
        "certificate_left": None,  # none was given to it
    }


def test_a_compute_module_with_emmc_under_a_kernel_that_knows_the_supply_alone() -> None:
    found = read(FakeTree(CM4))
    assert (found["supply_low"], found["throttled"]) == (0, None)
    assert (found["card_life_used"], found["wifi_signal"]) == (20, None)
    assert found["temperature"] == 61.342


def test_a_pc_takes_the_heat_of_its_processor_and_the_disk_of_the_state() -> None:
    found = read(FakeTree(PC))
    assert found["temperature"] == 55
    assert found["card_written"] == 512_000
    assert quality(FakeTree(PC))["supply_low"] is MISSING


def test_what_a_board_has_not_is_missing_and_the_rest_is_read() -> None:
    found = quality(FakeTree({"proc/uptime": "7.00 1.00"}, free=None, error_ms=None))
    assert found.pop("uptime") is OK
    assert set(found.values()) == {MISSING}


def test_a_tree_without_anything_is_a_bus_error() -> None:
    health = Health(FakeTree(free=None), HealthOptions())
    with pytest.raises(BusError, match="is the bus's path /"):
        health.read(0)


@pytest.mark.parametrize(
    ("path", "text", "channel"),
    [
        ("sys/class/thermal/thermal_zone0/temp", "hot", "temperature"),
        (THROTTLED, "no", "throttled"),
        ("proc/meminfo", "MemAvailable: ", "memory_available"),
        ("proc/stat", "cpu  1 2 3", "cpu_busy"),
        ("proc/uptime", "", "uptime"),
        ("sys/block/mmcblk0/stat", "1 2 3", "card_written"),
        (LIFE, "0x0c 0x01", "card_life_used"),
        (LIFE, "-0x1 -0x1", "card_life_used"),
        (LIFE, "", "card_life_used"),
        ("proc/net/wireless", "a\nb\n wlan0: 0000", "wifi_signal"),
    ],
)
def test_a_file_that_says_something_else_is_a_fault_of_its_channel_alone(
    path: str, text: str, channel: str
) -> None:
    found = quality(FakeTree({**PI4, path: text}))
    assert found.pop(channel) is FAULT
    assert FAULT not in {q for name, q in found.items() if not name.startswith(("thr", "supply"))}


@pytest.mark.parametrize(
    ("text", "low", "now", "since"),
    [
        ("0", 0, 0, 0),
        ("50005", 1, 5, 5),
        ("50000", 0, 0, 5),
        ("80008", 0, 8, 8),
        ("e0002", 0, 2, 14),
        ("F000F", 1, 15, 15),
    ],
)
def test_the_firmwares_bits_are_told_apart(text: str, low: int, now: int, since: int) -> None:
    found = read(FakeTree({**PI4, THROTTLED: text}))
    names = ("supply_low", "throttled", "throttled_since_boot")
    assert [found[name] for name in names] == [low, now, since]


def test_a_pi_5_has_its_firmware_elsewhere() -> None:
    soc = "sys/devices/platform/soc@107c000000"
    files = {path: text for path, text in PI4.items() if path != THROTTLED}
    files[f"{soc}/soc@107c000000:firmware/get_throttled"] = "20002"
    assert read(FakeTree(files))["throttled"] == 2


def told(tree: FakeTree, path: str, texts: list[str]) -> list[int]:
    """Return how many events each read brings, as a file changes; check what they say."""
    health = Health(tree, HealthOptions())
    counts = []
    for text in texts:
        tree.files[path] = text
        events = health.read(0).events
        assert all((e.code, e.channel) == (EventCode.SUPPLY_LOW, 1) for e in events)
        counts.append(len(events))
    return counts


def test_an_under_voltage_is_told_when_it_begins_and_once() -> None:
    texts = ["0", "50005", "50005", "50000", "50005"]
    assert told(FakeTree(dict(PI4)), THROTTLED, texts) == [0, 1, 0, 0, 1]


def test_an_under_voltage_that_lasts_when_the_daemon_starts_is_told() -> None:
    assert told(FakeTree(dict(PI4)), THROTTLED, ["50005", "50005"]) == [1, 0]


def test_an_under_voltage_between_two_reads_is_told_and_an_old_one_is_not() -> None:
    assert told(FakeTree(dict(PI4)), THROTTLED, ["0", "10000", "10000"]) == [0, 1, 0]
    assert told(FakeTree(dict(PI4)), THROTTLED, ["10000", "10000"]) == [0, 0]


def test_throttling_by_heat_is_no_matter_of_the_supply() -> None:
    assert told(FakeTree(dict(PI4)), THROTTLED, ["0", "e000e", "e000e"]) == [0, 0, 0]


def test_the_supplys_alarm_is_told_where_there_is_nothing_else() -> None:
    assert told(FakeTree(dict(CM4)), ALARM, ["0", "1", "1", "0", "1"]) == [0, 1, 0, 0, 1]


@pytest.mark.parametrize(
    ("life", "reserve", "used"),
    [
        ("0x01 0x01", "0x01", 10),
        ("0x03 0x0a", "0x01", 100),
        ("0x0B 0x01", "0x01", 110),
        ("0x01 0x01", "0x02", 80),
        ("0x01 0x01", "0x03", 90),
        ("0x00 0x04", "0x00", 40),
        ("0x00 0x00", "0x03", 90),
        ("0x00 0x00", "0x00", None),
        ("0x00 0x00", "0x01", None),
    ],
)
def test_the_life_of_an_emmc_is_that_of_its_worst_part(
    life: str, reserve: str, used: int | None
) -> None:
    assert read(FakeTree({**CM4, LIFE: life, RESERVE: reserve}))["card_life_used"] == used


def test_the_share_of_work_is_that_since_the_last_read() -> None:
    tree = FakeTree(dict(PI4))
    health = Health(tree, HealthOptions())
    at = NAMES.index("cpu_busy")
    assert health.read(0).values[at] is None
    # user +10, nice +5, system +6, idle +60, iowait +10, irq +3, softirq +4, steal +2; guests are
    # in user and nice already
    tree.files["proc/stat"] = "cpu  1010 55 506 90060 410 3 54 2 340 5"
    assert health.read(0).values[at] == pytest.approx(30)
    tree.files["proc/stat"] = "cpu  1020 55 506 90090 410 3 54 2 340 5"
    assert health.read(0).values[at] is None, "40 ticks are too short a time"
    tree.files["proc/stat"] = "cpu  1040 55 506 90120 410 3 54 2 340 5"
    assert health.read(0).values[at] == pytest.approx(100 * 30 / 90)


@pytest.mark.parametrize(
    ("level", "dbm"), [("-49.", -49), ("-49", -49), ("57.", None), ("-256", None), ("0", None)]
)
def test_a_level_below_zero_is_in_dbm_and_others_have_no_unit(level: str, dbm: int | None) -> None:
    text = PI4["proc/net/wireless"].replace("-49.", level)
    assert read(FakeTree({**PI4, "proc/net/wireless": text}))["wifi_signal"] == dbm


@pytest.mark.parametrize(
    ("files", "state", "disk"),
    [
        (PI4, "/var/lib/edgenode", "mmcblk0"),
        (PC, "/var/lib/edgenode", "sda"),
        (PC, "/var/library", "nvme0n1"),
        (PC, "/", "nvme0n1"),
        ({**PI4, "proc/self/mountinfo": "24 1 0:30 / / rw - btrfs /dev/sda1 rw"}, "/", "mmcblk0"),
        ({**PC, "proc/self/mountinfo": "cut short"}, "/", ""),
        ({}, "/", ""),
    ],
)
def test_the_card_is_the_disk_of_the_state_directory(
    files: dict[str, str], state: str, disk: str
) -> None:
    assert disk_of(FakeTree(files), state) == disk


def test_a_later_mount_hides_an_earlier_one_at_the_same_place() -> None:
    mounts = "24 1 259:1 / / rw - ext4 a rw\n25 24 8:1 / / rw - ext4 b rw"
    assert disk_of(FakeTree({**PC, "proc/self/mountinfo": mounts}), "/var") == "sda"


def test_a_card_that_is_named_is_taken() -> None:
    assert read(FakeTree(PC), HealthOptions(card="nvme0n1"))["card_written"] == 8192


@pytest.mark.parametrize(
    ("table", "fine"),
    [
        ({"state": "/data/edgenode", "card": "sda"}, True),
        ({"state": "data"}, False),
        ({"card": "/dev/sda"}, False),
    ],
)
def test_a_file_may_name_the_directory_and_the_disk(table: dict[str, object], fine: bool) -> None:  # noqa: FBT001 - a case
    assert (not list(mistakes(fields_of(HealthOptions), table))) is fine


def test_on_a_real_machine_it_agrees_with_psutil() -> None:
    health = Health(open_tree("/"), HealthOptions(state="/"))
    found = dict(zip(NAMES, health.read(0).values, strict=True))
    health.close()
    memory, free = found["memory_available"], found["disk_free"]
    assert memory == pytest.approx(psutil.virtual_memory().available, rel=0.2)
    assert free == pytest.approx(psutil.disk_usage("/").free, rel=0.05)
    assert found["uptime"] == pytest.approx(time.time() - psutil.boot_time(), abs=3)


def test_on_a_real_machine_the_ticks_are_psutils() -> None:
    before = psutil.cpu_times()
    health = Health(open_tree("/"), HealthOptions())
    health.read(0)
    deadline = time.monotonic() + 0.7
    while time.monotonic() < deadline:
        sum(range(1000))
    busy = dict(zip(NAMES, health.read(0).values, strict=True))["cpu_busy"]
    passed = [after - b for after, b in zip(psutil.cpu_times(), before, strict=True)][:8]
    assert busy == pytest.approx(100 * (1 - (passed[3] + passed[4]) / sum(passed)), abs=15)


def test_the_end_of_the_nodes_own_certificate_is_told() -> None:
    def told(text: str, **options: str) -> tuple[float | None, Quality]:
        tree = FakeTree({**PI4, FILE: text, "/elsewhere.pem": LONG_LIVED})
        sample = Health(tree, HealthOptions(**options)).read(0)
        return sample.values[-1], sample.quality[-1]

    left, well = told(LONG_LIVED)
    assert well is OK
    assert left == pytest.approx(ENDS - time.time(), abs=60)
    assert told("no certificate") == (None, FAULT)
    assert told(LONG_LIVED[:300]) == (None, FAULT)
    assert told("", certificate="/elsewhere.pem")[1] is OK
    assert told(LONG_LIVED, certificate="") == (None, MISSING)
