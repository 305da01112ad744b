"""Which lines of a GPIO chip are free, and who holds the others; no line is asked for.

What is wired to a line cannot be seen: asking for it as an input could take it from a program
that starts later, and would say no more than its level.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

from edgenode.bus.chips import lines_of
from edgenode.bus.wires import SIMULATED
from edgenode.scan.found import Seen


def survey_gpio(path: str, stop: threading.Event) -> Iterator[Seen]:
    """Yield the free lines, then each line that is held. Raises BusError."""
    del stop  # the kernel answers at once
    if path.startswith(SIMULATED):
        return
    lines = lines_of(path)
    free = [line.offset for line in lines if not line.used]
    words = "what is wired to them cannot be seen, so write pulse, loop or state by hand"
    yield Seen("", f"{len(lines)} lines, free: {spans(free) or 'none'}; {words}")
    for line in lines:
        if line.used:
            named = f" ({line.name})" if line.name else ""
            yield Seen(f"line {line.offset}", f"held by {line.consumer or 'the kernel'}{named}")


def spans(numbers: Sequence[int]) -> str:
    """Return ascending numbers as people write them, such as "0-3, 7"."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in runs)
