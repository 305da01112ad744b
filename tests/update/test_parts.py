"""Versions, routes, the record on disk, and what is read of RAUC's answers."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenode import __version__
from edgenode.errors import NodeError
from edgenode.spool.confirmed import confirmed
from edgenode.update import record
from edgenode.update.install import Site, install, rollback
from edgenode.update.network import network
from edgenode.update.record import Trial
from edgenode.update.slots import Bundle, Slot, Slots, bundle_of, older, slots_of
from tests.support.clock import FakeClock
from tests.support.documents import STATUS

TRIAL = Trial(record.ARMED, "9.0", "B", "1.0", ("air", "dust"), True, 1_795_000_000_000, "boot-0")
ORDER = (
    "0.1", "0.9~rc1", "0.9", "0.9.1", "0.10", "1", "1.0~beta", "1.0~rc2", "1.0~rc10", "1.0",
    "1.0a", "1.0+city1", "1.0.1", "2.0", "10.0",
)  # fmt: skip


@pytest.mark.parametrize(("at", "version"), list(enumerate(ORDER)))
def test_versions_are_in_debians_order(at: int, version: str) -> None:
    assert [older(one, version) for one in ORDER] == [n < at for n in range(len(ORDER))]


def test_dpkg_has_the_same_order() -> None:
    for one, two in pairwise(ORDER):
        subprocess.run(("dpkg", "--compare-versions", one, "lt", two), check=True)


@given(st.text("0123456789.~+ab", max_size=8), st.text("0123456789.~+ab", max_size=8))
def test_of_two_versions_at_most_one_is_older(one: str, two: str) -> None:
    assert not (older(one, two) and older(two, one))
    assert not older(one, one)


# --- the network ---

HEAD = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT"
DEFAULT = "eth0\t00000000\t0100000A\t0003\t0\t0\t100\t00000000\t0\t0\t0"
SUBNET = "eth0\t0000000A\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0"
NOWHERE = "0" * 32
DEFAULT_6 = f"{NOWHERE} 00 {NOWHERE} 00 {'f' * 32} 00000400 00000001 00000000 00000003 wwan0"
REJECT_6 = f"{NOWHERE} 00 {NOWHERE} 00 {NOWHERE} ffffffff 00000001 00000000 00200200 lo"


def there(tmp_path: Path, four: Sequence[str], six: Sequence[str], carrier: str = "1") -> bool:
    (tmp_path / "route").write_text("\n".join([HEAD, *four, ""]))
    (tmp_path / "ipv6_route").write_text("\n".join([*six, ""]))
    for name in ("eth0", "wwan0"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "carrier").write_text(f"{carrier}\n")
    return network(tmp_path, tmp_path)


@pytest.mark.parametrize(
    ("four", "six", "carrier", "way"),
    [
        ([DEFAULT, SUBNET], [REJECT_6], "1", True),
        ([SUBNET], [REJECT_6], "1", False),
        ([], [DEFAULT_6], "1", True),
        ([DEFAULT], [DEFAULT_6], "0", False),
        (["garbage"], ["garbage"], "1", False),
    ],
)
def test_a_way_out_is_a_default_route_over_a_link_that_carries(
    tmp_path: Path, four: list[str], six: list[str], carrier: str, *, way: bool
) -> None:
    assert there(tmp_path, four, six, carrier) is way


def test_without_those_files_there_is_no_network(tmp_path: Path) -> None:
    assert not network(tmp_path / "none", tmp_path)


# --- the record ---


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    record.save(tmp_path, TRIAL)
    assert record.load(tmp_path) == TRIAL


def test_no_file_is_no_update(tmp_path: Path) -> None:
    assert record.load(tmp_path) is None


@given(st.binary(max_size=200))
def test_a_damaged_file_is_no_update_and_no_crash(data: bytes) -> None:
    assert record.parsed(data) is None


@pytest.mark.parametrize(
    "change",
    [{"format": 2}, {"stage": 7}, {"sensors": "air"}, {"linked": "yes"}, {"installed_utc_ms": "1"},
     {"began_utc_ms": "x"}, {"slot": None}],
)  # fmt: skip
def test_a_value_of_another_kind_is_no_update(tmp_path: Path, change: dict[str, Any]) -> None:
    record.save(tmp_path, TRIAL)
    path = tmp_path / record.PLACE
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    assert record.load(tmp_path) is None


def test_a_field_of_a_later_version_is_passed_over(tmp_path: Path) -> None:
    record.save(tmp_path, TRIAL)
    path = tmp_path / record.PLACE
    path.write_text(json.dumps(json.loads(path.read_text()) | {"later": [1]}))
    assert record.load(tmp_path) == TRIAL


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "update").write_text("")
    with pytest.raises(NodeError, match=r"trial\.json"):
        record.save(tmp_path, TRIAL)


# --- what is written down before anything is changed ---


class Other:
    """RAUC with a good system in the other slot; remembers what it was asked for."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def slots(self) -> Slots:
        return Slots("edgenode-arm64", Slot("A", True), Slot("B", True, "9.0"), "A")

    def info(self, bundle: Path) -> Bundle:
        return Bundle("edgenode-arm64", "9.0")

    def install(self, bundle: Path, tell: Callable[[str], None]) -> None:
        self.done.append(f"install {bundle}")

    def mark_bad(self, which: str) -> None:
        self.done.append(f"bad {which}")

    def activate(self, which: str) -> None:
        self.done.append(f"activate {which}")


def site(state: Path, *, connected: bool = False, network: bool = False) -> Site:
    status = {**STATUS, "uplink": {**STATUS["uplink"], "connected": connected}}
    return Site(Other(), state, FakeClock(), lambda: status, lambda: network, lambda _: None)


@pytest.mark.parametrize(
    ("connected", "network", "linked"),
    [(True, False, True), (False, True, True), (False, False, False)],
)
def test_a_broker_that_is_just_away_is_no_node_without_a_network(
    tmp_path: Path, *, connected: bool, network: bool, linked: bool
) -> None:
    install(site(tmp_path, connected=connected, network=network), Path("new"), downgrade=False)
    known = record.load(tmp_path)
    assert known
    assert known.linked is linked


@pytest.mark.parametrize("do", [rollback, lambda site: install(site, Path("new"), downgrade=False)])
def test_before_another_system_may_be_tried_the_one_that_runs_is_vouched_for(
    tmp_path: Path, do: Callable[[Site], object]
) -> None:
    do(site(tmp_path))
    assert confirmed(tmp_path, __version__)
    assert not confirmed(tmp_path, "9.0")
    (blocked := tmp_path / "state").mkdir()
    (blocked / "update").write_text("a file where a directory should be")
    asked = site(blocked)
    with pytest.raises(NodeError, match="cannot be written"):
        do(asked)
    assert isinstance(asked.rauc, Other)
    assert asked.rauc.done == []


# --- RAUC's answers ---


@pytest.mark.parametrize(
    "told",
    [{}, {"slots": []}, {"slots": None}, {"slots": [{"rootfs.0": {}}]}, {"slots": [7]},
     {"compatible": "c", "slots": [{"rootfs.0": {"class": "rootfs", "state": "booted",
                                                "bootname": "A"}}]}],
)  # fmt: skip
def test_an_answer_without_two_slots_says_where_to_look(told: dict[str, Any]) -> None:
    with pytest.raises(NodeError, match=r"system\.conf"):
        slots_of(told)


def test_a_slot_whose_boot_half_was_cut_off_is_not_whole() -> None:
    def row(kind: str, boot: str | None, parent: str | None, status: str) -> dict[str, Any]:
        return {
            "class": kind, "bootname": boot, "state": "booted" if boot == "A" else "inactive",
            "parent": parent, "boot_status": "good", "slot_status": {"status": status},
        }  # fmt: skip

    told = {
        "compatible": "c", "boot_primary": "rootfs.0",
        "slots": [
            {"rootfs.0": row("rootfs", "A", None, "ok")},
            {"rootfs.1": row("rootfs", "B", None, "ok")},
            {"boot.1": row("boot", None, "rootfs.1", "failed")},
        ],
    }  # fmt: skip
    slots = slots_of(told)
    assert (slots.booted.whole, slots.other.whole) == (True, False)


@pytest.mark.parametrize("told", [{}, {"compatible": "c"}, {"compatible": "c", "version": ""}])
def test_a_bundle_without_a_version_is_refused(told: dict[str, Any]) -> None:
    with pytest.raises(NodeError, match="neither"):
        bundle_of(told)
