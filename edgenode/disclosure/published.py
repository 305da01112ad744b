"""What the message `about` says beside the texts of [site]: texts under names of their own.

They add to key 22, which any decoder reads as texts by name; docs/wire-format.md lists them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from edgenode.disclosure.dtpr import chain
from edgenode.disclosure.summary import Document, Summary, summary
from edgenode.disclosure.text import listed
from edgenode.disclosure.words import LANGUAGES, phrases

MOST_BYTES: Final = 24_000  # of one text: all of them stay well below the 256 KiB of a message


def published(document: Document) -> dict[str, str]:
    """Return the texts by name: what is measured, and for what, in each language; DTPR ids."""
    found: dict[str, str] = {}
    for language in LANGUAGES:
        told = summary(document, language)
        found[f"senses_{language}"] = _bounded(_lines(told), language)
        found[f"never_{language}"] = phrases(language)["never"]
        found |= _translated(document, language)
    found["dtpr"] = " ".join(row["element_id"] for row in chain(document)["elements"])
    return {name: text for name, text in found.items() if text}


def _translated(document: Document, language: str) -> dict[str, str]:
    """Return the texts of [site] that somebody has translated, such as `purpose_ko`."""
    by_text = document["translations"][language]
    site = document["site"].items()
    return {f"{key}_{language}": by_text[text] for key, text in site if text in by_text}


def _lines(told: Summary) -> list[str]:
    """Return a line for each purpose of each theme, then what the theme does not tell."""
    found = []
    for theme in told.themes:
        found += [
            f"{theme.name}: {listed(entry)} — {entry.purpose}" if entry.purpose else listed(entry)
            for entry in theme.entries
        ]
        found.append(f"{theme.name}: ({theme.denial})")
    return found


def _bounded(lines: Iterable[str], language: str) -> str:
    """Return as many lines as have room, and say how many are left out."""
    kept, room, more = list[str](), MOST_BYTES, 0
    for line in lines:
        room -= len(line.encode()) + 1
        if room < 0:
            more += 1
        else:
            kept.append(line)
    if more:
        kept.append(phrases(language)["and_more"].format(more))
    return "\n".join(kept)
