"""The label for the box: node, place and a QR code, 62 mm wide, as rolls of label printers are."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from urllib.parse import quote

from edgenode.disclosure.page import Box, Page, Words, estimated, wrapped
from edgenode.disclosure.sign import code, put
from edgenode.disclosure.svg import svg
from edgenode.errors import NodeError

WIDTH: Final = 62.0  # mm, of endless rolls such as DK-22205
EDGE: Final = 2.0  # mm, which printers of such rolls leave white
CODE: Final = 28.0  # mm: the side of the QR code with its quiet zone
QUIET: Final = 4  # modules of white around it (ISO/IEC 18004, 5.3.8)
HEIGHT: Final = CODE + 2 * EDGE
OVERLAP: Final = 1.04  # of a module by the next: else a light seam shows
LETTERS, SMALL, LEADING = 3.6, 2.5, 1.25  # mm, mm, of the size
LINES_MOST: Final = 4  # of the place's name
BLACK: Final = "#000000"
KINDS: Final = (".svg", ".png")


def suffix_of(path: str) -> str:
    """Return which kind of file is meant; raises NodeError for another than SVG and PNG."""
    suffix = Path(path).suffix.lower()
    if suffix not in KINDS:
        raise NodeError(f"{path}: a label is an SVG or a PNG: name a file .svg or .png")
    return suffix


def write(path: str, node: str, name: str, url: str) -> str:
    """Write the label of a node at a place and return its path; raises NodeError."""
    page = label(node, name, url)
    if suffix_of(path) == ".svg":
        made = svg(page)
    else:
        from edgenode.commission.png import png  # noqa: PLC0415 - one of the two is needed

        made = png(page)
    put(path, made)
    return path


def carried(node: str, url: str) -> str:
    """Return what the code says: the address of [site], else a name of the node (RFC 8141)."""
    return url or f"urn:x-edgenode:node:{quote(node, safe='')}"


def label(node: str, name: str, url: str) -> Page:
    """Return the label; nothing on it is a secret."""
    page = Page(f"edgenode {node}", "en", width=WIDTH, height=HEIGHT)
    _code(page, carried(node, url))
    left, width = EDGE + CODE + EDGE, WIDTH - CODE - 3 * EDGE
    y = EDGE + LETTERS
    for line in _shortened(list(wrapped(name, width, LETTERS, estimated, bold=True))):
        page.items.append(Words(left, y, LETTERS, line, bold=True, colour=BLACK))
        y += LETTERS * LEADING
    y = HEIGHT - EDGE - SMALL * LEADING
    page.items.append(Words(left, y - SMALL * LEADING, SMALL, "edgenode", colour=BLACK))
    for at, line in enumerate(wrapped(node, width, SMALL, estimated)):
        page.items.append(Words(left, y + at * SMALL * LEADING, SMALL, line, colour=BLACK))
    return page


def _shortened(lines: list[str]) -> list[str]:
    more = len(lines) > LINES_MOST
    return [*lines[: LINES_MOST - 1], f"{lines[LINES_MOST - 1]} …"] if more else lines


def _code(page: Page, text: str) -> None:
    modules = code(text)
    side = CODE / (len(modules) + 2 * QUIET)
    start = EDGE + QUIET * side
    for row, cells in enumerate(modules):
        for column, dark in enumerate(cells):
            if dark:
                x, y = start + column * side, start + row * side
                page.items.append(Box(x, y, side * OVERLAP, side * OVERLAP, BLACK))
