"""Writes docs/drivers.md: every driver, what it measures, and how it is proved, from its proof.

python -m tests.drivers.catalogue docs/drivers.md
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from edgenode.driver import find
from tests.drivers.proofs import all_proofs
from tests.support.proofs import Captures, KernelOracle, Oracle, Proof

PAGES: Final = Path(__file__).parents[2] / "docs" / "drivers"
KINDS: Final = {"i2c": "I2C", "serial": "Serial", "gpio": "GPIO", "sysfs": "Files of the kernel"}
HEAD: Final = """\
# Drivers
All parts that a node reads without code of your own. The name links to the page that says how \
it is wired, what may be chosen, what it measures and which quality is given when. A driver for \
another part: [writing a driver](writing-a-driver.md). What stands on which wire: \
[buses](buses.md). Any part with a driver in Linux is read by `iio`, `hwmon` or `ds18b20`.

This page is made from the proofs of the drivers, which the tests try: `python -m \
tests.drivers.catalogue docs/drivers.md`.

**Grades.** `oracle`: a decoder that somebody else wrote was given the same frames, 200 \
different ones or more over the whole range, and agrees within a step of resolution; that its \
code really ran is watched. `captures`: there is no such decoder; frames recorded from real \
parts are read as they were published. `unverified`: there is neither; `edgenode check` warns, \
and `edgenode sensors` says so. Besides, every driver gives known answers, which each of its \
mutants (a wrong constant, sign or column) gets wrong; refuses a frame with any one bit flipped \
and takes a stream cut anywhere, where the wire has a checksum; survives a part that falls \
silent, hangs, talks noise or is exchanged; and is named by `edgenode scan`, where it has an \
identity, while no other part is taken for it.
"""


def page() -> str:
    """Return the whole page."""
    proofs = all_proofs()
    parts = [HEAD]
    for kind, title in KINDS.items():
        rows = [_row(proofs[name]) for name in sorted(proofs) if find(name).wire == kind]
        parts.append(f"## {title}\n{_HEAD}\n" + "\n".join(rows) + "\n")
    parts.append("## What cannot be noticed on the wire\n" + "\n".join(_unguarded(proofs)) + "\n")
    return "\n".join(parts)


_HEAD = (
    "| driver | part | measures | at most every | grade | held against | mutants |\n"
    "|---|---|---|---|---|---|---|"
)


def _row(proof: Proof) -> str:
    driver: Any = find(proof.driver)
    quantities = dict.fromkeys(re.sub(r"_l[123]$", "", c.name) for c in driver.channels)
    more = " …" if driver.varies else ""
    mutants = sum(len(one.changes) for one in proof.mutants)
    cells = (
        f"[`{proof.driver}`](drivers/{_page_of(proof.driver)})",
        driver.model,
        ", ".join(quantities) + more,
        f"{driver.fastest_s:g} s",
        driver.grade,
        ", ".join(_against(proof)),
        str(mutants),
    )
    return f"| {' | '.join(cells)} |"


def _against(proof: Proof) -> Iterator[str]:
    for one in proof.against:
        if isinstance(one, Oracle):
            yield one.package
        elif isinstance(one, KernelOracle):
            yield f"Linux {one.driver}"
        elif isinstance(one, Captures):
            yield f"captures: {one.source}"
        else:
            yield "nobody"


def _page_of(name: str) -> str:
    named = re.compile(rf'driver = .*"{name}"')
    found = [path.name for path in PAGES.glob("*.md") if named.search(path.read_text("utf-8"))]
    assert len(found) == 1, f"{name} has {len(found)} pages"
    return found[0]


def _unguarded(proofs: dict[str, Proof]) -> Iterator[str]:
    """Yield why a flipped bit is not noticed, where it is not."""
    for name in sorted(proofs):
        damage = proofs[name].damage
        if isinstance(damage, str):
            yield f"- `{name}`: {damage}."


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
