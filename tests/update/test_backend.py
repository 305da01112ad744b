"""The backend: which system boots, what is only tried, and a power cut at each of its calls."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.update.cuts import cuts, recorded
from tests.update.machine import BACKEND, FACTORY, need

TRIES_B = FACTORY.replace("=2", "=X").replace("=3", "=2").replace("=X", "=3")
BOOTS = {FACTORY: "A", TRIES_B: "B"}


class Card:
    """The first partition as a directory."""

    def __init__(self, boot: Path, backend: Path = BACKEND) -> None:
        self.boot, self.backend = boot, backend
        boot.mkdir(exist_ok=True)

    def ask(self, *words: str, runs: str = "A") -> str:
        return self.tried(*words, runs=runs)[0]

    def tried(self, *words: str, runs: str = "A", ok: bool = True) -> tuple[str, str]:
        done = subprocess.run(
            (self.backend, *words), capture_output=True, text=True, check=False,
            env=self.env(runs),
        )  # fmt: skip
        assert (done.returncode == 0) is ok, done.stderr
        return done.stdout.strip(), done.stderr.strip()

    def env(self, runs: str) -> dict[str, str]:
        return {**os.environ, "EDGENODE_BOOT": str(self.boot), "EDGENODE_SLOT": runs}

    def put(self, files: Mapping[str, bytes]) -> None:
        for path in self.boot.iterdir():
            path.unlink()
        for name, data in files.items():
            (self.boot / name).write_bytes(data)

    def files(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.boot.iterdir()}

    def firmware(self) -> str:
        """Return what the firmware boots: the file must be whole, old or new."""
        return BOOTS[(self.boot / "autoboot.txt").read_text()]


@pytest.fixture
def card(tmp_path: Path) -> Card:
    card = Card(tmp_path / "p1")
    (card.boot / "autoboot.txt").write_text(FACTORY)
    return card


def test_on_a_new_card_the_first_system_is_good_and_the_second_is_not(card: Card) -> None:
    assert card.ask("get-primary") == "A"
    assert card.ask("get-current") == "A"
    assert (card.ask("get-state", "A"), card.ask("get-state", "B")) == ("good", "bad")


def test_what_is_installed_is_tried_and_the_firmware_still_boots_what_is_good(card: Card) -> None:
    card.ask("set-state", "B", "bad")
    card.ask("set-primary", "B")
    assert card.ask("get-primary") == "B"
    assert card.ask("get-state", "B") == "bad"
    assert card.firmware() == "A"


def test_in_the_system_that_is_tried_a_reboot_leads_back(card: Card) -> None:
    card.ask("set-primary", "B")
    assert card.ask("get-primary", runs="B") == "A"


def test_only_a_system_that_runs_can_prove_good(card: Card) -> None:
    card.ask("set-primary", "B")
    _, why = card.tried("set-state", "B", "good", ok=False)
    assert "does not run" in why
    card.ask("set-state", "B", "good", runs="B")
    assert card.firmware() == "B"
    assert (card.ask("get-state", "A", runs="B"), card.ask("get-primary", runs="B")) == (
        "good",
        "B",
    )


def test_the_system_that_the_firmware_boots_can_never_be_marked_bad(card: Card) -> None:
    _, why = card.tried("set-state", "A", "bad", runs="B", ok=False)
    assert "until another has proved good" in why
    assert card.ask("get-state", "A") == "good"


def test_a_system_that_was_good_before_is_tried_again_before_it_counts(card: Card) -> None:
    card.ask("set-state", "B", "good", runs="B")
    card.ask("set-primary", "A", runs="B")
    assert card.ask("get-state", "A", runs="B") == "bad"
    assert card.firmware() == "B"
    card.ask("set-primary", "B", runs="B")
    assert card.ask("get-state", "A", runs="B") == "good"
    card.ask("set-state", "A", "bad", runs="B")
    assert card.ask("get-state", "A", runs="B") == "bad"


def test_a_try_that_somebody_orders_by_hand_is_a_try_too(card: Card) -> None:
    card.ask("set-state", "B", "good", runs="B")  # then `reboot "0 tryboot"`, without set-primary
    assert card.ask("get-state", "A", runs="B") == "good"
    assert card.ask("get-state", "A", runs="A") == "bad"
    card.ask("set-state", "A", "good", runs="A")
    assert (card.firmware(), card.ask("get-state", "A", runs="A")) == ("A", "good")


@pytest.mark.parametrize("text", [None, "", "[all]\n", FACTORY.replace("=2", "=7")])
def test_where_the_file_says_nothing_no_system_is_called_good(card: Card, text: str | None) -> None:
    card.put({} if text is None else {"autoboot.txt": text.encode()})
    for words in (("get-primary",), ("get-state", "B"), ("set-primary", "A")):
        out, why = card.tried(*words, runs="B", ok=False)
        assert out == ""
        assert "names neither partition 2 nor 3 to boot: is it mounted?" in why


def test_lines_of_a_laptop_are_read(card: Card) -> None:
    (card.boot / "autoboot.txt").write_text(TRIES_B.replace("\n", "\r\n"))
    assert card.ask("get-primary", runs="B") == "B"


@pytest.mark.parametrize(
    "words",
    [(), ("bla",), ("get-state",), ("get-state", "C"), ("set-primary", ""), ("set-state", "A"),
     ("set-state", "B", "fine"), ("get-primary", "A")],
)  # fmt: skip
def test_anything_else_is_refused_and_changes_nothing(card: Card, words: tuple[str, ...]) -> None:
    before = card.files()
    _, why = card.tried(*words, ok=False)
    assert why.startswith("slots: ")
    assert card.files() == before


STORIES = {
    "arms": ((), "A", ("set-primary", "B"), {"A"}),
    "marks bad": ((("set-primary", "B"),), "A", ("set-state", "B", "bad"), {"A"}),
    "keeps": ((("set-primary", "B"),), "B", ("set-state", "B", "good"), {"A", "B"}),
}


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_a_power_cut_at_any_call_leaves_one_system_or_the_other(
    card: Card,
    tmp_path: Path,
    story: tuple[tuple[tuple[str, ...], ...], str, tuple[str, ...], set[str]],
) -> None:
    before, runs, words, may = story
    for command in before:
        card.ask(*command)
    states, bad = _cut(card, tmp_path, runs, words, may)
    assert states > 5
    assert not bad


def test_a_backend_that_does_not_synchronise_is_found_out(card: Card, tmp_path: Path) -> None:
    hasty = tmp_path / "hasty"
    hasty.write_text("".join(line for line in BACKEND.open() if not line.startswith("  sync")))
    hasty.chmod(0o755)
    card.backend = hasty
    _, bad = _cut(card, tmp_path, "B", ("set-state", "B", "good"), {"A", "B"})
    assert bad


def _cut(
    card: Card, tmp_path: Path, runs: str, words: tuple[str, ...], may: set[str]
) -> tuple[int, list[str]]:
    """Cut a command at each call; return how many states that leaves, and what is wrong."""
    need({"strace": "strace"})
    start, bad, states = card.files(), list[str](), 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGENODE_BOOT", str(card.boot))
        patch.setenv("EDGENODE_SLOT", runs)
        calls = recorded((card.backend, *words), card.boot, tmp_path / "log")
    for files in {tuple(sorted(left.items())) for left in cuts(start, calls)}:
        states += 1
        card.put(dict(files))
        try:
            boots = card.firmware()
            assert boots in may
            assert card.ask("get-state", boots, runs=boots) == "good"
            card.ask(*words, runs=runs)  # done again, it is done
            assert card.firmware() in may
        except (AssertionError, KeyError, OSError) as exc:
            bad.append(f"{files}: {exc!r}")
    return states, bad
