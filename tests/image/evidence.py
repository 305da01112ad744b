"""What the trial of the image found, as a page: docs/evidence/image.md."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

TOOLS: Final = ("qemu-system-aarch64", "mmdebstrap", "rauc")
EXCERPT: Final = 30  # lines of the console


class Evidence:
    """Collects facts in the order in which they are found; `write` makes the page."""

    def __init__(self) -> None:
        self._built = ""
        self._build_s = 0.0
        self._facts: list[tuple[str, str]] = []
        self._claims: list[tuple[str, bool, float]] = []
        self._console: list[str] = []

    def built(self, sums: str, seconds: float) -> None:
        """Remember what the build printed (SHA-256, name, size) and how long it took."""
        self._built, self._build_s = sums.strip(), seconds

    def fact(self, what: str, value: str) -> None:
        """Remember one figure."""
        self._facts.append((what, value))

    def claim(self, name: str, seconds: float, *, held: bool) -> None:
        """Remember a claim, whether it held, and how long it took."""
        self._claims.append((name.removeprefix("test_").replace("_", " "), held, seconds))

    def console(self, path: Path) -> None:
        """Remember how the console began."""
        lines = path.read_text("utf-8", "replace").splitlines() if path.exists() else []
        self._console = [line for line in lines if line.strip()][:EXCERPT]

    def write(self, path: Path) -> None:
        """Write the page."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(self._lines()) + "\n", encoding="utf-8")

    def _lines(self) -> list[str]:
        commit = _said(["git", "rev-parse", "--short=12", "HEAD"])
        held = sum(1 for _, well, _ in self._claims if well)
        return [
            "# The image, tried in QEMU",
            "Written by `make image-test`; do not edit. Its limits: [the image](../image.md).",
            "",
            f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, commit {commit}:",
            f"{held} of {len(self._claims)} claims held.",
            "",
            *(f"- {_said([tool, '--version']).splitlines()[0]}" for tool in TOOLS),
            "",
            f"## Built in {self._build_s:.0f} s",
            "```",
            self._built,
            "```",
            "",
            "## Claims, in the order of the trial",
            "| claim | held | took, s |",
            "|---|---|---|",
            *(
                f"| {name} | {'yes' if well else 'NO'} | {s:.0f} |"
                for name, well, s in self._claims
            ),
            "",
            "## Figures",
            "Seconds of an emulated processor on a shared machine; those of a Raspberry Pi differ.",
            "",
            "| what | figure |",
            "|---|---|",
            *(f"| {what} | {value} |" for what, value in self._facts),
            "",
            "## The console of the first boot",
            "```",
            *self._console,
            "```",
        ]


def _yes(held: bool) -> str:  # noqa: FBT001 - a column of a table
    return "yes" if held else "NO"


def _said(words: list[str]) -> str:
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    return (done.stdout or done.stderr).strip() or "unknown"
