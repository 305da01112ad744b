"""Known answers of what judges a signal head, and changes to it that must not give them."""

from __future__ import annotations

from types import ModuleType
from typing import Any

LAMPS = ("red", "amber", "green")

OF_THE_HEAD = (
    ('{"red": 1, "amber": 2, "green": 4}', '{"red": 4, "amber": 2, "green": 1}'),
    ("CONFLICT_MS: Final = 1_000", "CONFLICT_MS: Final = 999"),
    ("CONFLICT_MS: Final = 1_000", "CONFLICT_MS: Final = 1_001"),
    ("CALM_MS: Final = 600_000", "CALM_MS: Final = 60_000"),
    ("CALM_MS: Final = 600_000", "CALM_MS: Final = 6_000_000"),
    ("return DARK if unchanged_ms > self._dark_ms", "return DARK if unchanged_ms >= self._dark_ms"),
    ("0 < self._stuck_ms < unchanged_ms", "0 < self._stuck_ms <= unchanged_ms"),
    ("0 < self._stuck_ms < unchanged_ms", "-1 < self._stuck_ms < unchanged_ms"),
    ("self.changes += 1 + missed", "self.changes += 1"),
    ("        if missed:\n            self._forget()\n", ""),
    ("        began_ms = self._look(t_ms)\n", "        began_ms = None\n"),
    ("active=on, missed=missed)", "active=on)"),
    ("        self._changed_ms = t_ms\n", ""),
    ("        if on:\n", "        if True:\n"),
    ("        self._forget()\n\n    def moved_on", "\n    def moved_on"),
    ("self.times[lamp].forget()", "self.times[lamp].active"),
    ("t_ms - self._both_ms <=", "t_ms - self._changed_ms <="),
    ("return None if remembered else self._both_ms", "return self._both_ms"),
    ("t_ms + CALM_MS, True", "t_ms + CALM_MS, False"),
    ("        self._counted = True\n", ""),
    ('self._was_green = lit["green"]', "self._was_green = False"),
    ("self.conflicts += 1", "self.conflicts += 2"),
    ("and self._was_green:", "or self._was_green:"),
    ("self._red_ms, self._was_green = t_ms, False", "self._red_ms = t_ms"),
    ("append(t_ms - self._red_ms)", "append(t_ms)"),
    ("self._lengths, []", "self._lengths, self._lengths"),
)


def head_holds(module: ModuleType) -> bool:
    """Whether a head is judged as it was worked out by hand."""
    return _judged(module) == KNOWN_HEAD


def _judged(module: ModuleType) -> list[Any]:
    def head(*lit: str, stuck_ms: int = 900_000) -> Any:
        return module.Head({lamp: lamp in lit for lamp in LAMPS}, 10_000, stuck_ms, 0)

    def seen(one: Any) -> tuple[Any, ...]:
        return one.phase, one.condition, one.in_conflict, one.contradicted()

    found: list[Any] = [seen(head("red", "amber"))]
    one = head("red")
    found += [one.moved_on(900_000), seen(one), one.moved_on(900_001), seen(one)]
    found += [one.change(900_010, "red", on=False), one.moved_on(910_010), seen(one)]
    found += [one.moved_on(910_011), seen(one)]
    never = head("red", stuck_ms=0)
    found += [never.moved_on(86_400_000), seen(never)]

    one = head("red")
    found += [one.change(5_000, "green", on=True), one.change(6_000, "green", on=False)]
    found += [seen(one), one.conflicts]
    found += [one.change(7_000, "green", on=True), one.change(8_001, "red", on=False)]
    found += [one.cycles]
    found += [seen(one), seen(one), one.conflicts]
    one.change(10_000, "red", on=True)
    found += [one.change(10_500, "amber", on=True), one.moved_on(11_000), one.moved_on(11_001)]
    found += [seen(one), one.moved_on(12_000), one.conflicts]
    found += [one.change(13_000, "green", on=False), one.moved_on(612_999), seen(one)]
    found += [one.moved_on(613_000), seen(one)]
    one.change(620_000, "green", on=True)
    found += [one.moved_on(621_001), one.conflicts, one.changes]

    one = head("red")
    one.change(1_000, "green", on=True)
    found += [one.change(3_000, "green", on=True, missed=2), one.changes, one.conflicts]
    found += [one.moved_on(4_000), one.moved_on(4_001), one.times["green"].share(4_001)]
    one = head("red", "green")
    one.lost("green", 2)
    found += [
        one.moved_on(1_500),
        one.changes,
        one.times["green"].share(1_500),
        one.moved_on(2_501),
    ]

    one = head("green")
    for at_ms in range(0, 180_000, 60_000):
        one.change(at_ms + 10_000, "green", on=False)
        one.change(at_ms + 10_500, "green", on=True)
        one.change(at_ms + 11_000, "green", on=False)
        one.change(at_ms + 14_000, "red", on=True)
        one.change(at_ms + 14_500, "red", on=False)
        one.change(at_ms + 15_000, "red", on=True)
        one.change(at_ms + 40_000, "red", on=False)
        one.change(at_ms + 40_000, "green", on=True)
    found += [one.cycles, one.lengths(), one.lengths(), one.changes]
    one.change(185_000, "green", on=False, missed=1)
    one.change(190_000, "red", on=True)
    found += [one.cycles, one.lengths()]
    fresh = head("green")
    return [*found, fresh.change(1_000, "red", on=True), fresh.cycles]


KNOWN_HEAD = [
    *((3, 0, False, False),),
    *(None, (1, 0, False, False), None, (1, 3, False, False)),
    *(None, None, (0, 0, False, False), None, (0, 2, False, False)),
    *(None, (1, 0, False, False)),
    *(None, None, (1, 0, False, False), 0),
    *(None, 7_000, 0, (4, 1, False, True), (4, 1, False, False), 1),
    *(None, None, None, (7, 1, True, True), None, 2),
    *(None, None, (3, 1, False, True), None, (3, 0, False, False)),
    *(620_000, 3, 8),
    *(None, 4, 0, None, 3_000, (None, False)),
    *(None, 2, (None, False), 1_500),
    *(3, [60_000, 60_000], [], 24),
    *(4, []),
    *(None, 1),
]
