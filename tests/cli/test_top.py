"""`edgenode top`: frames, sparklines, and a loop that ends."""

import copy
import json
import os
import pty
import signal
import subprocess
import sys
import termios
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console, RenderableType

from edgenode.cli import main
from edgenode.cli.live import CHANNELS_MOST, KEPT, Live, loop, spark
from edgenode.control import NoDaemon
from edgenode.errors import NodeError
from tests.support.documents import SENSORS, STATUS, Played

Capture = pytest.CaptureFixture[str]
BOTH: dict[str, Any] = {"format": 1, "status": STATUS, "sensors": SENSORS}


def words(frame: RenderableType) -> str:
    console = Console(width=120, color_system=None)
    with console.capture() as caught:
        console.print(frame)
    return caught.get()


def test_one_frame_is_printed_and_that_is_all(daemon: Played, capsys: Capture) -> None:
    assert main(["top", "--once", "--socket", str(daemon.path)]) == 0
    said = capsys.readouterr().out
    assert "node 0a1b2c3d is WELL" in said
    assert "12 batches held" in said
    assert "connected to mqtt.city:8883" in said
    row = next(line for line in said.splitlines() if line.startswith("air/temperature"))
    assert row.split() == ["air/temperature", "21.50", "Cel", "ok", "1", "s", "▁"]
    assert "\x1b" not in said


def test_one_frame_as_json_is_the_two_documents(daemon: Played, capsys: Capture) -> None:
    assert main(["top", "--json", "--socket", str(daemon.path)]) == 0
    assert json.loads(capsys.readouterr().out) == BOTH


def test_a_sparkline_grows_frame_by_frame_and_leaves_gaps(daemon: Played) -> None:
    live, both = Live(), copy.deepcopy(BOTH)
    channel = both["sensors"]["sensors"][0]["channels"][0]
    for value in (1.0, None, 3.0):
        channel["value"] = value
        said = words(live.frame(both))
    assert "▁ █" in said


@pytest.mark.parametrize(
    ("values", "bars"),
    [
        ([], ""), ([None, None], "  "), ([5.0, 5.0], "▁▁"), ([0.0, 7.0], "▁█"),
        ([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], "▁▂▃▄▅▆▇█"), ([-1.7e308, 1.7e308], "▁█"),
    ],
)  # fmt: skip
def test_values_become_bars(values: list[float | None], bars: str) -> None:
    assert spark(deque(values)) == bars


def test_what_is_remembered_is_bounded() -> None:
    live, both = Live(), copy.deepcopy(BOTH)
    channel = both["sensors"]["sensors"][0]["channels"][0]
    for _ in range(KEPT + 5):
        live.frame(both)
    assert [len(values) for values in live._seen.values()] == [KEPT, KEPT]
    both["sensors"]["sensors"][0]["channels"] = [
        channel | {"channel": f"air/{n}"} for n in range(CHANNELS_MOST + 5)
    ]
    assert words(live.frame(both)).count("air/") == CHANNELS_MOST + 5, "all are shown"
    assert len(live._seen) == CHANNELS_MOST


def test_names_are_no_markup() -> None:
    both = copy.deepcopy(BOTH)
    both["sensors"]["sensors"][0]["channels"][0]["unit"] = "[bold]x[/bold]"
    assert "[bold]x[/bold]" in words(Live().frame(both))


def tall(lines: int) -> tuple[Live, Any]:
    """A view on a screen of so many lines, and a node of 40 channels."""
    both = copy.deepcopy(BOTH)
    channel = both["sensors"]["sensors"][0]["channels"][0]
    both["sensors"]["sensors"] = [
        both["sensors"]["sensors"][0]
        | {"channels": [channel | {"channel": f"air/c{n:02}"} for n in range(40)]}
    ]
    return Live(Console(width=120, height=lines, color_system=None)), both


def test_what_does_not_fit_is_told_of_and_scrolled_to() -> None:
    live, both = tall(30)
    said = words(live.frame(both))
    assert len(said.splitlines()) <= 30
    assert "air/c00" in said
    assert "air/c39" not in said
    assert "of 40 channels" in said
    live.scroll(b"\x1b[6~" * 9)
    said = words(live.view())
    assert "air/c39" in said
    assert "air/c00" not in said
    live.scroll(b"\x1b[Akk")
    assert "air/c36 " in words(live.view())
    assert "air/c37 " not in words(live.view())
    live.scroll(b"\x1b[5~" * 9)
    assert "air/c00" in words(live.view())
    assert [len(values) for values in live._seen.values()] == [1] * 40, "scrolling measures nothing"


def test_a_screen_of_few_lines_shows_the_health_and_channels() -> None:
    live, both = tall(10)
    said = words(live.frame(both)).splitlines()
    assert len(said) <= 10
    assert said[0].startswith("node 0a1b2c3d is WELL")
    assert sum(line.startswith("air/") for line in said) == 6


def test_what_fits_needs_no_word_about_it() -> None:
    live, both = tall(80)
    assert "of 40 channels" not in words(live.frame(both))


class Keys:
    """Quits after so many frames."""

    def __init__(self, frames: int) -> None:
        self.left = frames

    def __call__(self) -> bool:
        self.left -= 1
        return self.left < 0


def test_the_loop_shows_a_frame_a_turn_and_ends_when_somebody_quits() -> None:
    shown: list[RenderableType] = []
    loop(Live(), BOTH, lambda: BOTH, shown.append, Keys(3))
    assert len(shown) == 4


def test_a_daemon_that_is_restarted_meanwhile_is_waited_for() -> None:
    answers: list[Any] = [NoDaemon("s: gone"), NodeError("busy"), BOTH]

    def ask() -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    shown: list[RenderableType] = []
    loop(Live(), BOTH, ask, shown.append, Keys(3))
    first, gone, busy, back = map(words, shown)
    assert "no daemon answers" not in first
    assert "no daemon answers: s: gone" in gone
    assert "air/temperature" in gone, "the last frame stays"
    assert busy.startswith("busy")
    assert "busy" not in back


def top(path: Path, term: str, **streams: Any) -> subprocess.Popen[bytes]:
    words = ["top", "--socket", str(path)]
    program = f"import sys; from edgenode.cli import main; sys.exit(main({words!r}))"
    return subprocess.Popen(
        [sys.executable, "-c", program], env={**os.environ, "TERM": term}, **streams
    )


def read_until(handle: int, wanted: bytes) -> bytes:
    data = b""
    while wanted not in data:
        piece = os.read(handle, 65_536)
        assert piece, data
        data += piece
    return data


def test_q_quits_and_leaves_the_terminal_as_it_was(daemon: Played) -> None:
    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    child = top(daemon.path, "xterm", stdin=theirs, stdout=theirs, stderr=theirs)
    try:
        read_until(ours, b"0a1b2c3d")
        os.write(ours, b"xq")
        assert b"\x1b[?1049l" in read_until(ours, b"\x1b[?25h"), "the former screen is back"
        assert child.wait(20) == 0
        assert termios.tcgetattr(theirs) == before
    finally:
        child.kill()
        child.wait()
        os.close(ours)
        os.close(theirs)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let children be interrupted; who runs these tests in the background may ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_without_a_terminal_frames_follow_each_other_until_ctrl_c(daemon: Played) -> None:
    child = top(daemon.path, "dumb", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    try:
        assert child.stdout is not None
        said = read_until(child.stdout.fileno(), b"air/humidity")
        assert b"\x1b" not in said
        child.send_signal(signal.SIGINT)
        assert child.wait(20) == 130
    finally:
        child.kill()
        child.wait()
        assert child.stdout is not None
        child.stdout.close()
