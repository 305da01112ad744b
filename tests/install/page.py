"""docs/install.md as a reader with a shell would take it: steps, commands, what is promised."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

PAGE = Path(__file__).parents[2] / "docs" / "install.md"


class Step(NamedTuple):
    """One numbered step."""

    number: int
    title: str
    text: str

    @property
    def commands(self) -> list[str]:
        return commands(self.text)

    @property
    def by_hand(self) -> bool:
        return "**By hand:** " in self.text

    @property
    def promised(self) -> list[str]:
        """What stands as code where it says what one sees."""
        return re.findall(r"`([^`]+)`", self.bullet("You see"))

    @property
    def feared(self) -> list[str]:
        """What stands as code where it says what it means otherwise."""
        return re.findall(r"`([^`]+)`", self.bullet("If not"))

    def bullet(self, head: str) -> str:
        """Return what a bullet says; empty where there is none."""
        found = re.search(
            rf"^- \*\*{head}:\*\* (.*?)(?=^- |^$|\Z)", self.text, re.MULTILINE | re.DOTALL
        )
        return found[1] if found else ""


def steps() -> list[Step]:
    """Return the numbered steps in their order."""
    text = PAGE.read_text(encoding="utf-8")
    found = re.findall(r"^### (\d+)\. (.+?)\n(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL)
    return [Step(int(number), title, body) for number, title, body in found]


def section(head: str) -> str:
    """Return what stands below a heading."""
    text = PAGE.read_text(encoding="utf-8")
    found = re.search(rf"^## {head}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, head
    return found[1]


def commands(text: str) -> list[str]:
    """Return the commands of the shell blocks, one a line but for what is fed in below it."""
    made: list[str] = []
    for block in re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        lines = iter(block.splitlines())
        for line in lines:
            end = re.search(r"<<'(\w+)'", line)
            whole = [line]
            while end and whole[-1] != end[1]:
                whole.append(next(lines))
            made.append("\n".join(whole))
    return made
