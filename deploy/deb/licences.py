"""The file `copyright` of the package (DEP-5): ours, then a paragraph for each vendored wheel."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path
from typing import Final

from deploy.deb import BuildError

OURS: Final = Path(__file__).parent / "debian/copyright"
TEXTS: Final = re.compile(r"(?i)(^|/)(licen[cs]e|copying|notice)[^/]*$")
HOLDER: Final = re.compile(r"(?i)^\s*(?:copyright\b|\(c\)|©)[\s:]*((?:\(c\)|©|copyright|\d{4}).*)$")
APACHE: Final = "Version 2.0, January 2004"  # stands in that licence alone
COMMON: Final = "The Apache License 2.0: /usr/share/common-licenses/Apache-2.0 on Debian systems."
CLASSIFIER: Final = "License :: OSI Approved :: "
# SPDX names for what the trove classifiers of PyPI say (https://pypi.org/classifiers).
SPDX: Final = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}


def copyright_of(code: Path, where: str) -> str:
    """Return the whole file for the libraries unpacked in `code`, which is installed as `where`.

    Raises BuildError for a library that does not say under which licence it comes.
    """
    wheels = sorted(code.glob("*.dist-info"))
    paragraphs = ["\n".join(_paragraph(wheel, where)) + "\n" for wheel in wheels]
    return "\n".join([OURS.read_text(encoding="utf-8"), *paragraphs])


def licence_of(about: Message) -> str:
    """Return the licence that a wheel's METADATA names, as SPDX writes it where that is known."""
    stated = about.get("License-Expression")
    if stated:
        return str(stated)
    classes = [
        row.removeprefix(CLASSIFIER)
        for row in about.get_all("Classifier", [])
        if row.startswith(CLASSIFIER)
    ]
    named = [SPDX.get(row, row) for row in classes]
    short = str(about.get("License", "")).strip()
    if named:
        return " or ".join(named)
    return short if short and "\n" not in short and len(short) < 40 else ""


def _paragraph(information: Path, where: str) -> Iterator[str]:
    about = HeaderParser().parsestr((information / "METADATA").read_text(encoding="utf-8"))
    licence = licence_of(about)
    if not licence:
        raise BuildError(f"{information.name} does not name its licence; say it in licences.py")
    texts = [path.read_text("utf-8", "replace") for path in _texts(information)]
    files = "\n ".join(f"{where}/{name}" for name in _files(information))
    yield f"Files: {files}"
    yield f"Copyright: {_indented(_holders(texts) or [str(about.get('Author', about['Name']))])}"
    yield f"License: {licence.replace(' OR ', ' or ').replace(' AND ', ' and ')}"
    texts = [COMMON if APACHE in text else text for text in texts]
    body = "\n".join(texts) or f"{about['Name']} {about['Version']} names this licence; no text."
    yield from (f" {line.rstrip()}" if line.strip() else " ." for line in body.splitlines())


def _texts(information: Path) -> list[Path]:
    found = [path for path in information.rglob("*") if path.is_file()]
    return sorted(p for p in found if TEXTS.search(p.relative_to(information).as_posix()))


def _holders(texts: Iterable[str]) -> list[str]:
    lines = (HOLDER.match(line) for text in texts for line in text.splitlines())
    return list(dict.fromkeys(match[1].strip() for match in lines if match))


def _indented(lines: list[str]) -> str:
    return "\n ".join(" ".join(line.split()) for line in lines)


def _files(information: Path) -> list[str]:
    """Return the top names of a wheel as its RECORD lists them, as patterns of DEP-5."""
    record = (information / "RECORD").read_text(encoding="utf-8").splitlines()
    paths = [line.split(",", 1)[0].strip('"') for line in record if line]
    tops = {path.partition("/")[0]: "/" in path for path in paths}
    return sorted(
        f"{top}/*" if nested else top for top, nested in tops.items() if not top.endswith(".data")
    )
