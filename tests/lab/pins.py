"""In the guest: our GPIO code against a real kernel, with libgpiod as the second opinion."""

from __future__ import annotations

import time
from contextlib import closing
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any, Final, get_args

import gpiod
from gpiod.line import Bias as OraclesBias
from gpiod.line import Edge as OraclesEdge

from edgenode.bus import Bias, Edge, EdgeCount, open_line, open_state
from edgenode.bus.opening import open_lamp
from edgenode.bus.outputs import OutputLine
from edgenode.errors import BusError
from tests.lab.lines import Chip

LINES: Final = 8
DEBOUNCE_US: Final = 20_000
PULSES: Final = 3_000  # six times what the kernel's queue holds
SETTLED_S: Final = 0.1  # five times the debouncing


def pins() -> dict[str, Any]:
    """Return what the kernel made of our requests, and we of its answers."""
    chip = Chip("bench", LINES)
    found = {
        "requests": _requests(chip),
        "unread": _unread(chip),
        "beside_gpiod": _beside_gpiod(chip),
        "debounced": _debounced(chip),
        "states": _states(chip),
        "outputs": _outputs(chip),
        "taken": _refusal(chip),
    }
    return {**found, "gone": _gone(chip)}


def _requests(chip: Chip) -> list[dict[str, Any]]:
    """Every edge with every bias, as it was asked for and as libgpiod says that the line is."""
    found = []
    for edge, bias in product(get_args(Edge), get_args(Bias)):
        with closing(open_line(chip.path, 1, edge, bias, DEBOUNCE_US)):
            with gpiod.Chip(chip.path) as oracle:
                info = oracle.get_line_info(1)
            found.append(
                {
                    "asked": [edge, bias],
                    "info": {
                        "edge": info.edge_detection.name,
                        "bias": info.bias.name,
                        "consumer": info.consumer,
                        "debounce_us": info.debounce_period // timedelta(microseconds=1),
                        "input": info.direction.name,
                    },
                }
            )
    return found


def _unread(chip: Chip) -> dict[str, Any]:
    """More pulses than the queue holds, before anybody reads."""
    with closing(open_line(chip.path, 0, "both")) as line:
        count = EdgeCount(line, edges_each=2)
        began_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        chip.pulses(0, PULSES)
        ended_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        edges = count.take()
        chip.pulses(0, 1)
        last = count.take()
    stamps = [edge.stamp_ns for edge in [*edges, *last]]
    return {
        "pulses": PULSES + 1,
        "edges": count.count,
        "missed": count.missed,
        "read": len(edges) + len(last),
        "ordered": stamps == sorted(stamps),
        "within": began_ns <= stamps[0] and edges[-1].stamp_ns <= ended_ns,
    }


def _beside_gpiod(chip: Chip) -> dict[str, Any]:
    """The same edges on two lines: one is ours, one libgpiod's."""
    settings = gpiod.LineSettings(edge_detection=OraclesEdge.BOTH, bias=OraclesBias.AS_IS)
    levels = [True, False, True, True, False]
    with (
        gpiod.request_lines(chip.path, config={3: settings}) as oracle,
        closing(open_line(chip.path, 2, "both")) as line,
    ):
        for level in levels:
            chip.pull(2, level)
            chip.pull(3, level)
        theirs = [
            [event.event_type is gpiod.EdgeEvent.Type.RISING_EDGE, event.line_seqno]
            for event in oracle.read_edge_events()
        ]
        ours = [[event.id == 1, event.line_seqno] for event in line.events()]
    return {"ours": ours, "theirs": theirs}


def _debounced(chip: Chip) -> dict[str, Any]:
    """A contact that chatters as it closes, debounced by the kernel."""
    with closing(open_line(chip.path, 4, "both", debounce_us=DEBOUNCE_US)) as line:
        time.sleep(SETTLED_S)
        chip.pull(4, *[True, False] * 5, True)
        time.sleep(SETTLED_S)
        events = line.events()
        return {"ids": [event.id for event in events], "level": line.level()}


def _states(chip: Chip) -> list[list[Any]]:
    """Return, for both polarities, the state and its changes through gpiozero and our pins."""
    found = []
    for active_low in (False, True):
        with closing(open_state(chip.path, 5, active_low=active_low)) as state:
            first = state.active
            chip.pull(5, True, False, True)
            changes, dropped = state.changes()
            found.append([first, [change.active for change in changes], dropped, state.active])
        chip.pull(5, False)
    return found


def _outputs(chip: Chip) -> dict[str, Any]:
    """Return what the world sees of lines that we drive."""
    seen = []
    for active_low in (False, True):
        with closing(OutputLine(chip.path, 6, active_low=active_low, initial=True)) as line:
            seen.append(chip.driven(6))
            line.set(False)
            seen.append(chip.driven(6))
    with closing(open_lamp(chip.path, 7)) as lamp:
        lamp.show(1, 0)
        lit = chip.driven(7)
    return {"seen": seen, "lit": lit, "after": chip.driven(7)}


def _refusal(chip: Chip) -> str:
    with closing(open_line(chip.path, 0)):
        return _words(lambda: open_line(chip.path, 0).close())


def _gone(chip: Chip) -> dict[str, Any]:
    """The chip is taken away from under a line, and comes back."""
    with closing(open_line(chip.path, 0)) as line:
        chip.remove()
        read = _words(line.events)
        level = _words(line.level)
        opened = _words(lambda: open_line(chip.path, 0).close())
    back = Chip("bench", LINES)
    with closing(open_line(back.path, 0)) as line:
        back.pulses(0, 2)
        counted = len(line.events())
    back.remove()
    left = [found.name for found in Path("/dev").glob("gpiochip*")]
    return {"read": read, "level": level, "opened": opened, "counted": counted, "left": left}


def _words(call: Any) -> str:
    try:
        call()
    except BusError as exc:
        return str(exc)
    return ""
