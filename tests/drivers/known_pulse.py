"""Known answers of the pulse driver and of counting, and changes that must not give them."""

from __future__ import annotations

from types import ModuleType
from typing import Any
from unittest.mock import patch

from drivers import pulse
from tests.support.fake_line import FakeLine

MUTANTS = [
    ('{"count": self._edges.count}', '{"count": self._edges.missed}'),
    ("{} if began is None", "{} if began"),
    ('{"count": began}', '{"count": began + 1}'),
    ('totals["count"]', 'totals["count"] + 1'),
    ("self._edges.missed - before", "self._edges.missed + before"),
    ("self._missed_before, self._edges.missed\n", "self._missed_before, 0\n"),
    ("self._missed_before = 0", "self._missed_before = 1"),
    ("        self.feed(now_ms)\n", ""),
    ("        self._edges.take()\n", ""),
    ("(self._edges.count, self._edges.missed", "(self._edges.missed, self._edges.missed"),
    ("        self._line.close()\n", "        self._line.fileno()\n"),
]
OF_THE_COUNT = [
    ("1 << 32", "1 << 31"),
    ("1 << 32", "1 << 33"),
    ("return self._line.inherited", "return None"),
    ("seqno - self._seqno)", "seqno + self._seqno)"),
    ("0 if self._unseen", "0 if not self._unseen"),
    ("else step - 1", "else step"),
    ("else step - 1", "else step + 1"),
    ("self._unseen = line.inherited is not None", "self._unseen = line.inherited is None"),
    ("self._seqno = line.line_seqno", "self._seqno = 0"),
    ("seqno < self._seqno and", "seqno > self._seqno and"),
    ("self._began + SEQNO_MODULUS", "self._began - SEQNO_MODULUS"),
    ("self._unseen, self._seqno = False", "self._unseen, self._seqno = True"),
    ("self.count += step", "self.count += 1"),
    ("self.missed += missed", "self.missed += step"),
    ("self._began = total", "self._began = 0"),
    ("self._line.keep(total)", "self._line.keep(0)"),
]


def answers(module: ModuleType) -> list[Any]:
    """Return what a driver says of a fresh line, of one handed over, and of one that wraps."""
    told: list[Any] = []
    fresh = FakeLine(queue=4, seqno=(1 << 32) - 5)
    driver = module.Pulse(fresh, module.PulseOptions(line=1))
    told += [driver.resumed(), driver.read(0).values]
    driver.keep({"count": 90})
    for pulses in (3, 9, 1):
        fresh.pulse(pulses)
        told.append(driver.read(0).values)
    fresh.pulse(2)
    driver.feed(0)
    told += [driver.counts(), fresh.kept]
    driver.close()
    told.append(fresh.closed)
    heir = FakeLine(queue=2, seqno=(1 << 32) - 9, inherited=5)
    driver = module.Pulse(heir, module.PulseOptions(line=1))
    told += [driver.resumed(), driver.counts()]
    for _ in range(4):
        heir.pulse(3)
        told.append(driver.read(0).values)
    told.append(heir.kept)
    driver.close()
    empty = FakeLine(inherited=0)
    driver = module.Pulse(empty, module.PulseOptions(line=1))
    told.append(driver.resumed())
    driver.close()
    return told


WHOLE = (1 << 32) - 9
KNOWN = [
    *({}, (0, 0), (3, 0), (12, 5), (13, 0), {"count": 15}, [90, 90 + (1 << 32)], 1),
    *({"count": 5}, {"count": 0}),
    *((WHOLE + 3, 0), (WHOLE + 6, 1), (WHOLE + 9, 1), (WHOLE + 12, 1)),
    [5 + (1 << 32)],
    {"count": 0},
]


def known_answers_hold(module: ModuleType) -> bool:
    return answers(module) == KNOWN


def count_holds(edges: ModuleType) -> bool:
    """Whether the driver gives the known answers by this way of counting."""
    with patch.object(pulse, "EdgeCount", edges.EdgeCount):
        return known_answers_hold(pulse)
