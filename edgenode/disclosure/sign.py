"""Write the sign for the pole: an SVG or a PDF of A5, with a QR code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from edgenode.disclosure.layout import Modules, sign
from edgenode.disclosure.page import estimated
from edgenode.disclosure.summary import Summary, summary
from edgenode.disclosure.words import phrases
from edgenode.errors import NodeError

# More makes modules that a telephone cannot tell apart on 36 mm: version 13 of ISO/IEC 18004 at
# level M has 69, each half a millimetre.
CODE_BYTES: Final = 331
HEADS: Final = ("title", "purpose", "never", "nothing", "more", "and_more")
INSTALL: Final = "the code on the sign is made by segno: pip install 'edgenode[sign]'"


def write(path: str, document: Mapping[str, Any], language: str, font: str | None = None) -> int:
    """Write the sign and return its bytes; the end of `path`, .svg or .pdf, decides the format.

    Raises NodeError for another end, a missing extra or font, too much text, a full disk.
    """
    made = made_as(Path(path).suffix.lower(), document, language, font)
    put(path, made)
    return len(made)


def put(path: str, made: bytes) -> None:
    """Write a file beside `path` and rename it, so that nobody reads half; raises NodeError."""
    target = Path(path)
    part = target.with_name(f".{target.name}.part")
    try:
        part.write_bytes(made)
        part.replace(target)
    except OSError as exc:
        part.unlink(missing_ok=True)
        raise NodeError(f"{path}: cannot be written: {exc.strerror}; name another file") from exc


def made_as(
    suffix: str, document: Mapping[str, Any], language: str, font: str | None = None
) -> bytes:
    """Return the sign as ".svg" or ".pdf"; raises NodeError as `write` does."""
    if suffix not in {".svg", ".pdf"}:
        raise NodeError("a sign is an SVG or a PDF: name a file that ends in .svg or .pdf")
    told = summary(document, language)
    text = carried(told, document)
    modules = code(text) if text else None
    if suffix == ".svg":
        from edgenode.disclosure.svg import svg  # noqa: PLC0415 - one of the two is needed

        return svg(sign(told, modules, estimated))
    from edgenode.disclosure.pdf import Paper  # noqa: PLC0415 - the same

    paper = Paper(_texts(told), font)
    return paper.write(sign(told, modules, paper.measure))


def carried(told: Summary, document: Mapping[str, Any]) -> str:
    """Return what the code on the sign says: the address of [site], else whom to ask."""
    if told.url:
        return told.url
    contact = document["site"]["contact"].strip()
    return f"{contact}\n{told.name}\nedgenode {told.node}".replace("\n\n", "\n") if contact else ""


def code(text: str) -> Modules:
    """Return the QR code of a text, error correction level M or better (ISO/IEC 18004)."""
    try:
        import segno  # noqa: PLC0415 - an extra
    except ImportError as exc:
        raise NodeError(INSTALL) from exc
    if len(text.encode()) > CODE_BYTES:
        raise NodeError(
            f"more than {CODE_BYTES} bytes make no code that a telephone can read;"
            ' write a short address in [site]: url = "https://…"'
        )
    return [list(row) for row in segno.make(text, error="m", micro=False).matrix]


def _texts(told: Summary) -> list[str]:
    """Return every text that may stand on the sign."""
    entries = [entry for theme in told.themes for entry in theme.entries]
    themes = [text for theme in told.themes for text in (theme.name, theme.denial)]
    facts = [text for fact in told.facts for text in fact]
    said = [told.name, told.node, told.purpose, told.url, *themes, *facts]
    said += [text for entry in entries for text in (entry.purpose, *entry.quantities)]
    return [*said, *(phrases(told.language)[key] for key in HEADS), "; -0123456789"]
