"""Known answers of the state driver, and the changes to it that must not give them."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from tests.support.fake_line import FakeState

MUTANTS = [
    ("TOLD_MOST: Final = 32", "TOLD_MOST: Final = 31"),
    ("CONTACT_ACTIVE: Final = 1", "CONTACT_ACTIVE: Final = 7"),
    ("STATE: Final = 0", "STATE: Final = 1"),
    ('options.role == "tamper"', 'options.role != "tamper"'),
    ("self._alarm(None) if wire.active", "self._alarm(None) if not wire.active"),
    ("ActiveTime(active=wire.active)", "ActiveTime(active=not wire.active)"),
    ("len(changes) + missed", "len(changes)"),
    ("len(changes) + missed", "len(changes) - missed"),
    ("if missed and not changes", "if missed and changes"),
    ("self._time.forget()", "self._time.active"),
    ("            missed = 0  # they", "            missed = missed  # they"),
    ("missed=missed)", "missed=0)"),
    ("100 * share", "share"),
    ("[], 0\n", "[], self._told\n"),
    ("[*self._found, *self.feed(now_ms)]", "[*self.feed(now_ms)]"),
    ("if exact else Quality.ESTIMATED", "if not exact else Quality.ESTIMATED"),
    ("Quality.MISSING if active is None", "Quality.OK if active is None"),
    ("(int(change.active), lasted_ms)", "(lasted_ms, int(change.active))"),
    ("(int(change.active), lasted_ms)", "(int(not change.active), lasted_ms)"),
    ("EventCode.STATE_CHANGED, STATE", "EventCode.LIMIT_EXCEEDED, STATE"),
    ("value, t_ms=change.t_ms)", "value)"),
    ("self._alarm(change.t_ms) if change.active", "self._alarm(change.t_ms) if not change.active"),
    ("self._alarm(change.t_ms) if change.active", "self._alarm(None) if change.active"),
    ("if not self._tamper", "if self._tamper"),
    ("EventCode.TAMPER, STATE", "EventCode.LEAK_SUSPECTED, STATE"),
    ("self._told > TOLD_MOST", "self._told >= TOLD_MOST"),
    ("self._told += 1", "self._told += 0"),
    ("int(self._time.active), self._changes", "int(self._line.closed), self._changes"),
]


def events_of(events: Any) -> list[tuple[Any, ...]]:
    return [(int(e.code), e.channel, e.value, e.t_ms) for e in events]


def sample_of(sample: Any) -> tuple[Any, ...]:
    state_now, changes, active = sample.values
    share = active if active is None else round(active, 6)
    names = " ".join(q.name.lower() for q in sample.quality)
    return state_now, changes, share, names, events_of(sample.events)


def answers(module: ModuleType) -> list[Any]:
    """Return what a driver says of a door that opens, loses changes, and chatters."""
    line = FakeState(active=True)
    driver = module.State(line, module.StateOptions(line=1, role="tamper"))
    found: list[Any] = [sample_of(driver.read(0))]
    line.change(1_000, 1_400)
    found += [events_of(driver.feed(1_500)), sample_of(driver.read(2_000))]
    line.queue = 2
    line.change(3_000, 3_500, 3_700, 3_800)
    found += [events_of(driver.feed(4_000)), sample_of(driver.read(4_000))]
    line.queue = 0
    line.change(4_500, 4_600)
    found.append(events_of(driver.feed(4_700)))
    line.queue = 100
    line.change(4_900)
    found += [events_of(driver.feed(5_000)), sample_of(driver.read(5_000))]
    line.change(*range(5_001, 5_041))
    found += [len(driver.feed(5_050)), sample_of(driver.read(6_000)), driver.counts()]
    line.change(6_500)
    found.append(sample_of(driver.read(7_000)))
    driver.close()
    plain = FakeState(active=True)
    driver = module.State(plain, module.StateOptions(line=1))
    plain.change(10, 20)
    found += [sample_of(driver.read(30)), sample_of(driver.read(40)), driver.resumed()]
    driver.close()
    return found


CHANGED, TAMPER = 1, 9
# Worked out by hand: state, changes, % active, qualities, events (code, channel, value, ms).
KNOWN = [
    (1, 0, None, "ok ok missing", [(TAMPER, 0, 1, None)]),
    [(CHANGED, 0, (0, -1), 1_000), (CHANGED, 0, (1, 400), 1_400), (TAMPER, 0, 1, 1_400)],
    (1, 2, 80.0, "ok ok ok", []),
    [(CHANGED, 0, (0, -1), 3_700), (CHANGED, 0, (1, 100), 3_800), (TAMPER, 0, 1, 3_800)],
    (1, 6, 100 * (1_700 / 2 + 200) / 2_000, "ok ok estimated", []),
    [],
    [(CHANGED, 0, (0, -1), 4_900)],
    (0, 9, 90.0, "ok ok estimated", []),
    48,  # 32 changes told, half of them into the alarm
    (0, 49, 2.0, "ok ok ok", []),
    {"changes": 49},
    (1, 50, 50.0, "ok ok ok", [(CHANGED, 0, (1, 1_460), 6_500), (TAMPER, 0, 1, 6_500)]),
    (1, 2, None, "ok ok missing", [(CHANGED, 0, (0, -1), 10), (CHANGED, 0, (1, 10), 20)]),
    (1, 2, 100.0, "ok ok ok", []),
    {},
]


def known_answers_hold(module: ModuleType) -> bool:
    return answers(module) == KNOWN
