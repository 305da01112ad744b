"""What a node senses, told in plain lines."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Final

from edgenode.disclosure.summary import Entry, Summary, Theme
from edgenode.disclosure.words import phrases

WIDTH: Final = 100


def lines(told: Summary) -> Iterator[str]:
    """Yield the disclosure as lines of at most WIDTH columns, as far as words can be broken."""
    heads = phrases(told.language)
    yield f"{heads['title']}: {told.name}" if told.name else heads["title"]
    yield f"  ({heads['node']} {told.node}, {told.source})"
    yield ""
    yield from _wrapped(f"{heads['why']}: ", told.purpose or heads["unsaid"])
    yield ""
    if not told.themes:
        yield heads["nothing"]
    for theme in told.themes:
        yield from _theme(theme, heads["purpose"])
    yield ""
    yield from _wrapped("", heads["never"])
    yield ""
    for heading, text in told.facts:
        yield from _wrapped(f"{heading}: ", text)
    if told.url:
        yield f"{heads['more']}: {told.url}"


def _theme(theme: Theme, purpose: str) -> Iterator[str]:
    yield theme.name
    for entry in theme.entries:
        yield from _wrapped("  ", listed(entry))
        yield from _wrapped(f"    {purpose}: ", entry.purpose)
    yield from _wrapped("  - ", theme.denial)


def listed(entry: Entry) -> str:
    """Return the quantities of an entry in one line."""
    return "; ".join(entry.quantities)


def _wrapped(head: str, text: str) -> Iterator[str]:
    """Yield lines of which those after the first are set in; wide letters take two columns."""
    line, empty = head, True
    for word in text.split():
        if not empty and columns(line) + 1 + columns(word) > WIDTH:
            yield line
            line, empty = " " * (len(head) - len(head.lstrip()) + 2), True
        line, empty = (f"{line}{word}" if empty else f"{line} {word}"), False
    yield line


def columns(text: str) -> int:
    """Return how many columns of a terminal a text takes (Unicode Standard Annex 11)."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
