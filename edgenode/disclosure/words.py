"""The plain words for a quantity, in English and Korean: looked up in the tables of `data`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

LANGUAGES: Final = ("en", "ko")
DATA: Final = Path(__file__).parent / "data"
OTHER: Final = "other"
CONTACT: Final = "contact"  # whose words give way to what the file says is observed


class Said(NamedTuple):
    """The theme that a quantity belongs to, and what it is in each language."""

    theme: str
    words: Mapping[str, str]


@cache
def table(name: str) -> dict[str, Any]:
    """Return a table of `data`; FileNotFoundError for one that is not part of the package."""
    found: dict[str, Any] = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
    return found


def phrases(language: str) -> dict[str, str]:
    """Return headings and sentences; KeyError for a language that is not in LANGUAGES."""
    found: dict[str, str] = table("phrases")["languages"][language]
    return found


def theme_words(theme: str, language: str) -> dict[str, str]:
    """Return the `name` of a theme, and what is `not` measured."""
    found: dict[str, str] = table("themes")[theme][language]
    return found


def said_of(quantity: str, model: str = "", unit: str = "", observed: str = "") -> Said:
    """Return what is said of a channel; one whose name an installer chose is told by name and unit.

    `observed` is its observed property, such as "WeatherObserved/windSpeed": it decides the theme,
    and for contacts and free names the words.
    """
    found = _known(quantity, model)
    told: dict[str, str] | None = table("phrases")["observed"].get(observed)
    if told and (found is None or found.theme == CONTACT):
        named = {lang: words if found else f"{words} ({quantity})" for lang, words in told.items()}
        found = Said(OTHER, named)
    found = found or _of_total(quantity) or _generic(quantity, unit)
    theme = table("phrases")["observed_themes"].get(observed.partition("/")[0], found.theme)
    return Said(theme, found.words)


def _known(quantity: str, model: str) -> Said | None:
    """Look the name up, else what is left of it without an end that has a meaning of its own."""
    row = table("quantities").get(f"{model}/{quantity}")
    if row is None and model not in table("phrases")["free_models"]:
        row = table("quantities").get(quantity)
    if row is not None:
        return Said(row["theme"], {language: row[language] for language in LANGUAGES})
    for base, how in _shortened(quantity):
        inner = _known(base, model)
        if inner:
            return Said(inner.theme, {n: how[n].format(w) for n, w in inner.words.items()})
    return None


def _shortened(quantity: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the name without each end that has a meaning, and how that is told: "{}, phase 2"."""
    for row in table("phrases")["modifiers"]:
        match = re.search(f"{row['end']}$", quantity)
        if match and match.start():
            told = {language: match.expand(row[language]) for language in LANGUAGES}
            yield quantity[: match.start()], told


def _of_total(quantity: str) -> Said | None:
    """Return the words for a total whose longer name an installer chose: kitchen_volume."""
    for noun in table("phrases")["totals"]:
        if quantity.endswith(f"_{noun}"):
            row = table("quantities")[noun]
            return Said(row["theme"], {lang: f"{row[lang]} ({quantity})" for lang in LANGUAGES})
    return None


def _generic(quantity: str, unit: str) -> Said:
    bare = unit in {"", *table("phrases")["bare_units"]}
    key = "generic_bare" if bare else "generic"
    return Said(OTHER, {lang: phrases(lang)[key].format(quantity, unit) for lang in LANGUAGES})
