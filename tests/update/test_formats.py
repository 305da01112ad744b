"""No spool migration before the system is confirmed: shown with a format that does not exist yet.

The next version is played by raising the newest format that is known; what it changes in a block
does not matter here, only which number stands in it, since that is what the version before obeys.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cbor2
import pytest

from edgenode.config import parse
from edgenode.node.parts import spool_options
from edgenode.spool import Spool
from edgenode.spool.block import BLOCK, format_of
from edgenode.spool.confirmed import PLACE, confirm, confirmed
from edgenode.spool.store import Meta
from tests.support.clock import FakeClock
from tests.support.spools import account, feed, kill, opened, spool_path

MODULES = ("block", "journal", "recovery", "core", "glance")


@contextmanager
def next_version() -> Iterator[None]:
    """A version that knows one format more, and writes it where it may."""
    with pytest.MonkeyPatch.context() as patch:
        for module in MODULES:
            patch.setattr(f"edgenode.spool.{module}.FORMAT", 2)
        yield


def formats(spool: Spool) -> set[int]:
    """Return the formats of all blocks of the journal and of the store."""
    data = (spool_path(spool) / "journal").read_bytes()
    blocks = {format_of(data[at : at + BLOCK]) for at in range(0, len(data), BLOCK)}
    state = cbor2.loads(spool._core.store.meta()[Meta.STATE])
    return {found for found in blocks if found} | {state[0]}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def test_until_it_is_confirmed_a_new_version_leaves_what_the_old_one_can_read(
    tmp_path: Path, clock: FakeClock
) -> None:
    old = opened(tmp_path, clock)
    feed(old, clock, 70)
    kill(old)
    clock.reboot()
    with next_version():
        tried = opened(tmp_path, clock, confirmed=False)
        feed(tried, clock, 130)
        assert formats(tried) == {1}
        assert tried.id == old.id
        kill(tried)
    clock.reboot()
    back = opened(tmp_path, clock)  # the version before, after a fallback
    assert back.id == old.id
    feed(back, clock, 10)
    assert not account(back).unaccounted()
    assert account(back).samples.total() >= 200 - 5  # but for what no commit covered


def test_confirmed_it_writes_its_own_and_the_old_one_leaves_that_alone(
    tmp_path: Path, clock: FakeClock
) -> None:
    old = opened(tmp_path, clock)
    feed(old, clock, 70)
    kill(old)
    with next_version():
        new = opened(tmp_path, clock, confirmed=True)
        feed(new, clock, 70)
        assert (new.id, formats(new)) == (old.id, {1, 2})
        kill(new)
    assert opened(tmp_path, clock).id != old.id


def test_what_is_of_the_new_format_already_stays_so_when_a_later_version_is_tried(
    tmp_path: Path, clock: FakeClock
) -> None:
    with next_version():
        kept = opened(tmp_path, clock)
        feed(kept, clock, 70)
        kill(kept)
        tried = opened(tmp_path, clock, confirmed=False)
        feed(tried, clock, 70)
        assert (tried.id, formats(tried)) == (kept.id, {2})


def test_a_spool_that_is_begun_in_a_try_is_one_that_the_old_version_can_read(
    tmp_path: Path, clock: FakeClock
) -> None:
    with next_version():
        tried = opened(tmp_path, clock, confirmed=False)
        feed(tried, clock, 70)
        kill(tried)
    assert opened(tmp_path, clock).id == tried.id


# --- who says so ---


def test_a_machine_that_was_never_updated_by_slots_has_nothing_that_comes_back(
    tmp_path: Path,
) -> None:
    assert confirmed(tmp_path, "1.0")


def test_a_version_is_confirmed_when_it_has_proved_well_and_no_other_one_is(tmp_path: Path) -> None:
    confirm(tmp_path, "1.0")
    assert confirmed(tmp_path, "1.0")
    assert not confirmed(tmp_path, "1.1")
    confirm(tmp_path, "1.1")
    assert confirmed(tmp_path, "1.1")
    assert (tmp_path / PLACE).stat().st_mode & 0o777 == 0o644  # the daemon is another user


def test_a_file_that_cannot_be_read_confirms_nothing(tmp_path: Path) -> None:
    confirm(tmp_path, "1.0")
    (tmp_path / PLACE).write_bytes(b"\xff\xfe")
    assert not confirmed(tmp_path, "1.0")


@pytest.mark.parametrize("version", ["", "1\n0", "x" * 101])
def test_no_version_confirms_nothing(tmp_path: Path, version: str) -> None:
    with pytest.raises(ValueError, match="no version"):
        confirm(tmp_path, version)


def test_the_daemon_tells_its_spool(tmp_path: Path) -> None:
    text = f'schema = 1\n[node]\nid = "0a1b2c3d"\nstate = "{tmp_path}"\n'
    config = parse(text + '[[uplink.broker]]\nhost = "one"\n')
    assert spool_options(config).confirmed
    confirm(tmp_path, "0.0.1")  # another version than this one
    assert not spool_options(config).confirmed
