import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgenode import __version__
from edgenode.cli import VERBS, main
from edgenode.control import Control, verbs_of
from tests.support.documents import Played

HEAVY = {
    "msgspec",
    "cbor2",
    "paho",
    "sqlite3",
    "smbus2",
    "gpiozero",
    "asyncio",
    "ctypes",
    "tomllib",
    "rich",
    "subprocess",
    "difflib",
}


def test_help_has_one_line_for_each_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for verb in VERBS:
        assert sum(line.split()[:1] == [verb] for line in lines) == 1


def test_no_verb_and_an_unknown_verb_are_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert main(["stauts"]) == 2
    assert "no verb 'stauts'" in capsys.readouterr().err


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"edgenode {__version__}\n"


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_verb_explains_itself(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main([verb, "--help"])
    assert left.value.code == 0
    assert f"edgenode {verb}" in capsys.readouterr().out


def test_a_configuration_with_mistakes_is_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "n.toml"
    file.write_text("schema = 1\n[nod]\n")
    assert main(["run", "--config", str(file)]) == 2
    assert f"{file}:2: nod: unknown key; did you mean 'node'?" in capsys.readouterr().err


@pytest.fixture
def socket_of_daemon(tmp_path: Path) -> Iterator[tuple[Path, dict[str, object]]]:
    answer: dict[str, object] = {"health": "well"}
    control = Control(tmp_path / "s", verbs_of({"status": lambda _: answer}))
    control.start()
    yield tmp_path / "s", answer
    control.close()


def test_status_leaves_with_the_health_of_the_node(
    socket_of_daemon: tuple[Path, dict[str, object]], capsys: pytest.CaptureFixture[str]
) -> None:
    path, answer = socket_of_daemon
    assert main(["status", "--json", "--socket", str(path)]) == 0
    answer["health"] = "degraded"
    assert main(["status", "--json", "--socket", str(path)]) == 1
    assert '"health": "degraded"' in capsys.readouterr().out


def test_status_without_a_daemon_tells_what_can_be_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spool = tmp_path / "spool" / "0123456789abcdef"
    spool.mkdir(parents=True)
    (spool / "journal").write_bytes(b"x")
    hour_ago = time.time() - 3_600
    os.utime(spool, (hour_ago, hour_ago))  # a file that is written in place leaves it so
    os.utime(spool.parent, (hour_ago, hour_ago))
    words = ["status", "--socket", str(tmp_path / "s"), "--state", str(tmp_path)]
    assert main(words) == 3
    out = capsys.readouterr().out
    assert "does not run" in out
    assert "last written 0 s ago" in out
    assert main([*words, "--json"]) == 3
    assert '"health": "absent"' in capsys.readouterr().out


def test_a_mistyped_verb_is_answered_with_what_was_meant(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["statsu"]) == 2
    assert capsys.readouterr().err.startswith(
        "edgenode: no verb 'statsu'; did you mean 'status'?\n"
    )


def test_status_without_a_daemon_and_without_a_spool_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status", "--socket", str(tmp_path / "s"), "--state", str(tmp_path)]) == 3
    assert "none can be seen" in capsys.readouterr().out


def loaded(*words: str) -> set[str]:
    """Return the names of what a verb makes Python import, as a process of its own."""
    program = (
        "import sys; from edgenode.cli import main;"
        f"main({list(words)!r});"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(done.stderr.split())


@pytest.mark.parametrize("verb", ["status", "sensors", "spool"])
def test_what_is_asked_most_imports_nothing_heavy(verb: str, daemon: Played) -> None:
    assert HEAVY.isdisjoint(loaded(verb, "--socket", str(daemon.path)))


@pytest.mark.parametrize("verb", ["status", "sensors"])
def test_without_a_daemon_nothing_heavy_is_imported_either(verb: str, tmp_path: Path) -> None:
    assert HEAVY.isdisjoint(
        loaded(verb, "--socket", str(tmp_path / "s"), "--state", str(tmp_path)) - {"subprocess"}
    )


def test_only_top_loads_rich(daemon: Played) -> None:
    assert "rich" in loaded("top", "--once", "--socket", str(daemon.path))
