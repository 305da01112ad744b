"""Files that cannot be used are kept for a human, within a budget."""

from __future__ import annotations

from pathlib import Path

from edgenode.spool.quarantine import DIRECTORY, entries, set_aside

BUDGET = 10_000


def damaged(spool: Path, name: str, size: int) -> Path:
    path = spool / name
    path.write_bytes(name[:1].encode() * size)
    return path


def test_files_are_moved_into_an_entry_with_the_reason_beside_them(tmp_path: Path) -> None:
    files = [damaged(tmp_path, "store.db", 2000), damaged(tmp_path, "store.db-wal", 300)]
    entry = set_aside(tmp_path, files, "page 3 is not a page", BUDGET)
    assert not any(file.exists() for file in files)
    assert (entry / "store.db").read_bytes() == b"s" * 2000
    assert entries(tmp_path) == [("000001", "page 3 is not a page", 2321)]


def test_a_file_that_is_not_there_is_no_reason_to_fail(tmp_path: Path) -> None:
    set_aside(tmp_path, [tmp_path / "store.db-wal"], "nothing but a reason", BUDGET)
    assert entries(tmp_path)[0][1] == "nothing but a reason"


def test_beyond_the_budget_the_oldest_entries_go_first(tmp_path: Path) -> None:
    for number in range(1, 8):
        set_aside(tmp_path, [damaged(tmp_path, "journal", 3000)], f"damage {number}", BUDGET)
        kept = [reason for _, reason, _ in entries(tmp_path)]
        assert kept == [f"damage {n}" for n in range(max(1, number - 2), number + 1)]


def test_an_entry_that_alone_is_too_large_keeps_the_heads_of_its_files(tmp_path: Path) -> None:
    files = [damaged(tmp_path, "store.db", 40_000), damaged(tmp_path, "store.db-wal", 30_000)]
    entry = set_aside(tmp_path, files, "large", BUDGET)
    assert sum(path.stat().st_size for path in entry.glob("store*")) == BUDGET
    assert entries(tmp_path)[0][1] == "large"


def test_entries_are_numbered_on_after_the_oldest_are_gone(tmp_path: Path) -> None:
    for _ in range(5):
        set_aside(tmp_path, [damaged(tmp_path, "journal", 9000)], "again", BUDGET)
    assert [name for name, _, _ in entries(tmp_path)] == ["000005"]


def test_a_spool_without_a_quarantine_has_no_entries(tmp_path: Path) -> None:
    assert entries(tmp_path) == []
    assert not (tmp_path / DIRECTORY).exists()
