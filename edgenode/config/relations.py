"""What does not fit together in a file, and what fits but should make one think."""

from __future__ import annotations

from collections.abc import Iterator

from edgenode.config.check import Mistake
from edgenode.config.disclosed import unfit_site
from edgenode.config.draft import Draft
from edgenode.config.households import too_fine
from edgenode.config.judged import channels_of, unfit_channels
from edgenode.config.model import Config
from edgenode.config.wires import busy, unfit_wires
from edgenode.errors import nearest
from edgenode.units import UNITS


def unfit(draft: Draft) -> Iterator[Mistake]:
    """Every mistake in how tables relate, as far as they are right by themselves."""
    yield from unfit_wires(draft)
    yield from unfit_channels(draft)
    yield from too_fine(draft)
    yield from unfit_site(draft)
    for index, broker in draft.brokers.items():
        place = ("uplink", "broker", index)
        if (broker.cert is None) != (broker.key is None):
            yield Mistake(place, "give cert and key together or not at all")
        unused = [key for key in ("ca", "cert", "key") if getattr(broker, key) is not None]
        if not broker.tls and unused:
            yield Mistake((*place, "tls"), f"without TLS nothing looks at {', '.join(unused)}")
    budget = draft.budget
    if budget and budget.day_mb and budget.month_mb and budget.day_mb > budget.month_mb:
        words = f"more than month_mb, {budget.month_mb:g}, found {budget.day_mb:g}"
        yield Mistake(("budget", "day_mb"), words)


def doubtful(draft: Draft, config: Config) -> Iterator[Mistake]:
    """Everything that a maintainer should know of a file without mistakes."""
    yield from busy(draft)
    if not config.uplink.broker:
        yield Mistake(
            ("uplink", "broker"),
            "no broker is named, so nothing is sent and readings wait in the spool; provision this"
            " node, or write a [[uplink.broker]] table",
        )
    if config.uplink.custody == "broker":
        yield Mistake(
            ("uplink", "custody"),
            "a broker acknowledges what it may still drop or lose; readings are safe only with"
            ' custody = "city"',
        )
    if config.clock.manual_err_ms is not None:
        yield Mistake(
            ("clock", "manual_err_ms"),
            "the node vouches for its clock without asking anybody; leave it out where NTP is"
            " reachable",
        )
    for index, row in draft.sensors.items():
        if row.driver.grade == "unverified":
            words = f"no other program or recording confirms how {row.driver.model} is decoded here"
            yield Mistake(
                ("sensor", index, "driver"),
                f"{words}; compare its first readings with an instrument that you trust",
            )
    yield from _foreign_units(draft)
    for index, broker in enumerate(config.uplink.broker):
        if not broker.tls and not _is_local(broker.host):
            words = f"readings and passwords go to {broker.host} where all on the way can read them"
            yield Mistake(("uplink", "broker", index, "tls"), words)


def _foreign_units(draft: Draft) -> Iterator[Mistake]:
    """Yield the units that no platform will understand: those of generic parts are free."""
    for index, row in draft.sensors.items():
        for channel in channels_of(row).values():
            if channel.unit not in UNITS:
                near = nearest(channel.unit, UNITS)
                hint = f"; did you mean {near}?" if near else ""
                words = f"{channel.name} is in {channel.unit!r}, which no export can translate"
                yield Mistake(("sensor", index), f"{words}{hint}")


def _is_local(host: str) -> bool:
    return host in {"localhost", "::1"} or host.startswith("127.")
