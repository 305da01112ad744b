"""What does not fit together in a document whose members are each right by themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from edgenode.config.check import Mistake
from edgenode.provision.configured import unfit_tables
from edgenode.provision.networked import unfit_network
from edgenode.provision.pems import unfit_enrolment, unfit_trust
from edgenode.provision.ssh import unfit_ssh_keys

DECIMALS: Final = 7  # of degrees: 1e-7 is 11 mm on the ground
REQUIRED: Final = frozenset({"issued", "node"})  # by one of the rules, without asking
Rule = Callable[[Mapping[str, Any]], Iterator[Mistake]]


def unfit(whole: Mapping[str, Any], found: Sequence[Mistake]) -> Iterator[Mistake]:
    """Every mistake in how members relate; `found` is what is wrong within them.

    A rule is asked where the members that it looks at are right by themselves, and there.
    """
    bent = {mistake.place[0] if mistake.place else "" for mistake in found}
    bent |= REQUIRED - whole.keys()
    for members, rule in RULES:
        if not bent & {"", *members}:
            yield from rule(whole)
    yield from unfit_tables(whole)


def _issued(whole: Mapping[str, Any]) -> Iterator[Mistake]:
    try:
        datetime.fromisoformat(whole["issued"])
    except ValueError:
        yield Mistake(("issued",), "there is no such day or time of day")


def _position(whole: Mapping[str, Any]) -> Iterator[Mistake]:
    site = whole.get("site", {})
    for name in ("latitude", "longitude"):
        value = site.get(name, 0)
        if round(value, DECIMALS) != value:
            words = f"at most {DECIMALS} decimals, which is a centimetre; found {value!r}"
            yield Mistake(("site", name), words)
    if ("latitude" in site) != ("longitude" in site):
        yield Mistake(("site",), "give latitude and longitude together or not at all")


def _brokers(whole: Mapping[str, Any]) -> Iterator[Mistake]:
    rows = whole.get("brokers", [])
    if not rows:
        yield Mistake(("brokers",), "write at least one broker, [{…}]; readings go there")
    seen: dict[tuple[str, int], int] = {}
    for index, row in enumerate(rows):
        first = seen.setdefault((row["host"].lower(), row.get("port", 0)), index)
        if first != index:
            yield Mistake(("brokers", index), f"is the same as brokers[{first}]")


RULES: Final[tuple[tuple[tuple[str, ...], Rule], ...]] = (
    (("issued",), _issued),
    (("site",), _position),
    (("brokers",), _brokers),
    (("network",), unfit_network),
    (("trust",), unfit_trust),
    (("enrol", "node"), unfit_enrolment),
    (("ssh_keys",), unfit_ssh_keys),
)
