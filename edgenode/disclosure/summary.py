"""What is told to people: the channels of a node gathered by theme, with their purposes.

It is made from the document that `edgenode disclose --json` prints (docs/cli.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from edgenode.disclosure.words import phrases, said_of, table, theme_words

Document = Mapping[str, Any]

# Field of the document's `site`: its heading in phrases.json; in the order in which they are told.
FIELDS: Final = {
    "retention": "kept",
    "access": "access",
    "accountable": "accountable",
    "contact": "contact",
}


@dataclass
class Entry:
    """What is measured for one purpose, each quantity once."""

    purpose: str
    quantities: list[str] = field(default_factory=list)


@dataclass
class Theme:
    """Everything of one theme: `entries` by purpose; `denial` says what is not measured."""

    key: str
    name: str
    denial: str
    entries: list[Entry] = field(default_factory=list)


@dataclass(frozen=True)
class Summary:
    """What one node tells about itself in one language."""

    language: str
    name: str  # of the place
    node: str
    source: str
    purpose: str
    themes: tuple[Theme, ...]
    facts: tuple[tuple[str, str], ...]  # heading, text
    url: str
    missing: tuple[str, ...]  # keys of [site] that say nothing, though people would ask


def summary(document: Document, language: str) -> Summary:
    """Return what the document says, in "en" or "ko"."""
    site, heads = document["site"], phrases(language)
    facts = [
        (heads[h], _site(document, key, language) or heads["unsaid"]) for key, h in FIELDS.items()
    ]
    asked = ("name", "purpose", *FIELDS)
    return Summary(
        language=language,
        name=_site(document, "name", language),
        node=document["node"],
        source=_source(document["source"], language),
        purpose=_site(document, "purpose", language),
        themes=tuple(_themes(document, language)),
        facts=tuple(facts),
        url=site["url"],
        missing=tuple(key for key in asked if not clean(site[key])),
    )


def clean(text: str) -> str:
    """Return one line that prints: without line ends and what would steer a terminal or a page."""
    words = " ".join(text.split())
    return "".join(letter for letter in words if letter.isprintable())


def translated(document: Document, text: str, language: str) -> str:
    """Return a text of the file in a language, as it stands there where nobody translated it.

    The purposes that drivers bring are translated in phrases.json.
    """
    own = table("phrases")["purposes"].get(text, {}).get(language, text)
    return clean(document["translations"][language].get(text, own))


def _site(document: Document, key: str, language: str) -> str:
    return translated(document, document["site"][key], language)


def _source(source: str, language: str) -> str:
    heads = phrases(language)
    return heads["running"] if source == "daemon" else heads["file"].format(source)


def _themes(document: Document, language: str) -> Iterator[Theme]:
    """Yield the themes in the order of themes.json, as far as the node has anything of them."""
    found: dict[str, dict[str, Entry]] = {}
    for sensor, channel in channels(document):
        said = said_of(channel["quantity"], sensor["model"], channel["unit"], channel["observed"])
        purpose = translated(document, channel["purpose"], language)
        entry = found.setdefault(said.theme, {}).setdefault(purpose, Entry(purpose))
        words = _with_privacy(said.words[language], channel["privacy"], language)
        if words not in entry.quantities:
            entry.quantities.append(words)
    for key in table("themes"):
        if key in found:
            words_of = theme_words(key, language)
            yield Theme(key, words_of["name"], words_of["not"], list(found[key].values()))


def _with_privacy(words: str, privacy: str, language: str) -> str:
    return words if privacy == "open" else f"{words} ({phrases(language)[privacy]})"


def channels(document: Document) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield each channel of the document after its sensor."""
    for sensor in document["sensors"]:
        for channel in sensor["channels"]:
            yield sensor, channel
