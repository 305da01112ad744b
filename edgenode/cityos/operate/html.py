"""The few pieces of HTML that a report is made of; every text is escaped here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from edgenode.cityos.operate.style import CSS

SHORT = 8  # rows of a table that is not folded
# Nothing is loaded and nothing runs, whatever the text of a node may hold.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def document(title: str, body: Iterable[str]) -> str:
    """Return a page that needs nothing but itself."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<link rel="icon" href="data:,">\n'
        f"<title>{escape(title)}</title>\n<style>{CSS}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(body)
        + "\n</main>\n</body>\n</html>\n"
    )


def heading(level: int, text: str, anchor: str = "") -> str:
    """Return a heading; `anchor` is where links to it lead."""
    named = f' id="{escape(anchor)}"' if anchor else ""
    return f"<h{level}{named}>{escape(text)}</h{level}>"


def paragraph(text: str, kind: str = "") -> str:
    """Return a paragraph."""
    return f"<p{_class(kind)}>{escape(text)}</p>"


def bullets(items: Iterable[tuple[str, str]]) -> str:
    """Return a list of (text, class)."""
    return "<ul>" + "".join(f"<li{_class(k)}>{escape(t)}</li>" for t, k in items) + "</ul>"


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Return names with what they are."""
    return "<dl>" + "".join(f"<dt>{escape(a)}</dt><dd>{escape(b)}</dd>" for a, b in pairs) + "</dl>"


def key(entries: Iterable[tuple[str, str]]) -> str:
    """Return what the colours of a plot mean, as (class, word)."""
    return " ".join(f'<span class="key {kind}">{escape(word)}</span>' for kind, word in entries)


def figure(svg: str, caption: str, table: str, legend: str = "") -> str:
    """Return a plot with its caption and, below it, its numbers."""
    more = f"<br>{legend}" if legend else ""
    return f"<figure>{svg}<figcaption>{escape(caption)}{more}</figcaption>{table}</figure>"


def table(name: str, head: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Return a table; columns behind the first `left` are numbers.

    A long one is folded where it is read on a screen; paper has it whole.
    """
    if not rows:
        return ""
    top = "".join(f'<th scope="col"{_number(i, left)}>{escape(t)}</th>' for i, t in enumerate(head))
    lines = "\n".join(
        "<tr>"
        + "".join(f"<td{_number(i, left)}>{escape(t)}</td>" for i, t in enumerate(r))
        + "</tr>"
        for r in rows
    )
    shown = " open" if len(rows) <= SHORT else ""
    return (
        f'<details{shown}><summary>{escape(name)}</summary><div class="wide"><table>'
        f"<thead><tr>{top}</tr></thead><tbody>{lines}</tbody></table></div></details>"
    )


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""


def _number(column: int, left: int) -> str:
    return ' class="n"' if column >= left else ""
