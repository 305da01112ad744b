"""Find the line of a TOML file that a mistake speaks of; tomllib keeps no positions.

The text was accepted by tomllib before, so this only has to find its way, not to judge.
"""

from __future__ import annotations

import re
import tomllib
from typing import Final

Place = tuple[str | int, ...]  # keys, and places in lists counted from 0

BLANK: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
SPACE: Final = re.compile(r"[ \t]*")
BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
STRING: Final = re.compile(
    r'"""(?:[^"\\]|\\[\s\S]|"(?!""))*"{3,5}'
    r"|'''(?:[^']|'(?!''))*'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'"
)
WORD: Final = re.compile(r"[^,\]}#\n]*")  # a number, a date, true or false


class Lines:
    """Where every key and every table of a valid TOML text stands."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._found: dict[Place, int] = {}
        self._counts: dict[Place, int] = {}  # how many [[tables]] of a name there were so far
        self._walk()

    def of(self, place: Place) -> int:
        """Return the line, from 1, of a place; of the nearest table around it where it has none."""
        while place and place not in self._found:
            place = place[:-1]
        return self._text.count("\n", 0, self._found[place]) + 1 if place else 1

    def _walk(self) -> None:
        here: Place = ()
        self._skip(BLANK)
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                here = self._header()
            else:
                self._pair(here)
            self._skip(BLANK)

    def _header(self) -> Place:
        start = self._at
        many = self._text.startswith("[[", start)
        self._at += 2 if many else 1
        parts = self._key()
        self._at += 2 if many else 1
        place: Place = ()
        for part in parts[:-1]:
            place = self._last((*place, part))
            self._found.setdefault(place, start)
        place = (*place, parts[-1])
        if many:
            self._found.setdefault(place, start)
            index = self._counts.get(place, 0)
            self._counts[place] = index + 1
            place = (*place, index)
        self._found[place] = start
        return place

    def _last(self, place: Place) -> Place:
        """Return the newest of the [[tables]] at `place`, else `place`."""
        return (*place, self._counts[place] - 1) if place in self._counts else place

    def _pair(self, here: Place) -> None:
        start = self._at
        for part in self._key():
            here = (*here, part)
            self._found.setdefault(here, start)
        self._at += 1  # "="
        self._skip(SPACE)
        self._value(here)

    def _key(self) -> list[str]:
        parts = []
        while True:
            self._skip(SPACE)
            quoted = self._text[self._at] in "\"'"
            text = self._skip(STRING if quoted else BARE)
            parts.append(tomllib.loads(f"v = {text}")["v"] if quoted else text)
            self._skip(SPACE)
            if self._text[self._at] != ".":
                return parts
            self._at += 1

    def _value(self, here: Place) -> None:
        first = self._text[self._at]
        if first == "[":
            self._list(here)
        elif first == "{":
            self._inline(here)
        else:
            self._skip(STRING if first in "\"'" else WORD)

    def _list(self, here: Place) -> None:
        self._at += 1
        index = 0
        self._skip(BLANK)
        while self._text[self._at] != "]":
            self._found[*here, index] = self._at
            self._value((*here, index))
            index += 1
            self._comma()
        self._at += 1

    def _inline(self, here: Place) -> None:
        self._at += 1
        self._skip(BLANK)
        while self._text[self._at] != "}":
            self._pair(here)
            self._comma()
        self._at += 1

    def _comma(self) -> None:
        self._skip(BLANK)
        if self._text[self._at] == ",":
            self._at += 1
            self._skip(BLANK)

    def _skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        if match is None:
            raise ValueError(f"lost at character {self._at}: the text is no valid TOML")
        self._at = match.end()
        return match[0]
