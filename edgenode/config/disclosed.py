"""What the site allows to be measured, and whether what it says of it leads anywhere."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from edgenode.config.check import Mistake
from edgenode.config.draft import Draft, Row
from edgenode.config.households import is_household
from edgenode.config.judged import channels_of
from edgenode.config.model import SiteTable
from edgenode.disclosure import element_ids
from edgenode.errors import nearest
from edgenode.reading import Privacy

SAID: Final = ("name", "purpose", "accountable", "retention", "access", "contact")


def unfit_site(draft: Draft) -> Iterator[Mistake]:
    """Every channel that the site does not allow, and every text of [site] that leads nowhere."""
    if draft.site is None:  # it has mistakes of its own
        return
    for index, row in draft.sensors.items():
        yield from _too_private(("sensor", index), row, draft.site.privacy)
    yield from _elements(draft.site)
    if len(draft.sensors) == len(draft.sensor_names):  # else a text may be of one that is missing
        yield from _translations(draft)


def _too_private(place: tuple[str, int], row: Row, allowed: str) -> Iterator[Mistake]:
    most = Privacy[allowed.upper()]
    least = Privacy.INTERNAL if is_household(row) else Privacy.OPEN
    classes = {n: max(least, channel.privacy) for n, channel in channels_of(row).items()}
    above = [name for name, found in classes.items() if found > most]
    if above:
        needed = max(classes[name] for name in above).name.lower()
        yield Mistake(
            place,
            f"{', '.join(above)}: {needed}, and this site allows no more than {allowed};"
            f' take the sensor out, or write privacy = "{needed}" in [site] if it may be measured',
        )


def _elements(site: SiteTable) -> Iterator[Mistake]:
    if not site.dtpr:
        return
    known = element_ids()
    for name in site.dtpr:
        if name not in known:
            words = _meant(name, known, "docs/disclosure.md lists them")
            yield Mistake(("site", "dtpr"), f"DTPR has no element {name!r}; {words}")


def _translations(draft: Draft) -> Iterator[Mistake]:
    site = draft.site
    if site is None or not (site.en or site.ko):
        return
    said = {getattr(site, key) for key in SAID}
    for row in draft.sensors.values():
        said |= {row.table.purpose, row.driver.purpose}
        said |= {rules.purpose for rules in row.table.channel.values()}
    for language in ("en", "ko"):
        for text in getattr(site, language):
            if text not in said:
                words = _meant(text, said, "write the text as it stands elsewhere in the file")
                yield Mistake(("site", language, text), f"nothing else says {text!r}; {words}")


def _meant(word: str, known: Collection[str], otherwise: str) -> str:
    close = nearest(word, known)
    return f"did you mean {close!r}?" if close else otherwise
