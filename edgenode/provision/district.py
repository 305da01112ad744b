"""The documents of a whole district, one for each row of a CSV; all of them or none."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from edgenode.errors import ProvisionError
from edgenode.provision.canonical import MAX_TOLD, Object
from edgenode.provision.columns import NODE, Columns
from edgenode.provision.document import digest
from edgenode.provision.files import content, written
from edgenode.provision.issue import Template, composed, issued, random_id
from edgenode.provision.tables import Document

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

MAX_BYTES: Final = 16 << 20  # of a CSV
MAX_ROWS: Final = 10_000
FILE: Final = "node.json"  # below a directory for each node, so that it is copied as it is
SUMMARY: Final = "district.csv"
POSITION: Final = ("latitude", "longitude")
HEAD: Final = ("id", "name", "latitude", "longitude", "serial", "key", "sha256", "file")


class Row(NamedTuple):
    """One row: the line of the file on which it ends, and its texts by column."""

    line: int
    texts: Mapping[str, str]


class Made(NamedTuple):
    """The document of one row, and its file."""

    document: Document
    data: bytes


def rows(path: Path) -> list[Row]:
    """Read a CSV (RFC 4180) in UTF-8 with a head; separated by commas, semicolons or tabs.

    Raises ProvisionError with every mistake, each with its line.
    """
    data = content(path, MAX_BYTES)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        words = f"not UTF-8 text at byte {exc.start}; save it as CSV UTF-8"
        raise ProvisionError([f"{path}: {words}"]) from exc
    try:
        found = list(_rows(text, path))
    except csv.Error as exc:
        raise ProvisionError([f"{path}: not a CSV: {exc}"]) from exc
    if not found:
        raise ProvisionError([f"{path}: has no rows below its head"])
    if len(found) > MAX_ROWS:
        raise ProvisionError([f"{path}: {len(found)} rows; at most {MAX_ROWS} are possible"])
    return found


def _rows(text: str, path: Path) -> Iterator[Row]:
    first = text.partition("\n")[0]
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count), strict=True
    )
    head = [name.strip() for name in next(reader, [])]
    twice = sorted({name for name in head if head.count(name) > 1})
    if not all(head) or twice:
        words = f"{', '.join(twice)} stands twice" if twice else "a column has no name"
        raise ProvisionError([f"{path}:1: {words}"])
    for cells in reader:
        if len(cells) > len(head):
            words = f"{len(cells)} cells below {len(head)} columns; put text with commas in quotes"
            raise ProvisionError([f"{path}:{reader.line_num}: {words}"])
        texts = {name: cell.strip() for name, cell in zip(head, cells, strict=False)}
        if any(texts.values()):
            yield Row(reader.line_num, texts)


def documents(
    path: Path, template: Template, key: Ed25519PrivateKey, serial: int, moment: str
) -> list[Made]:
    """Make the document of each row of a CSV; a row without an id gets a random one.

    No row gets the position of the template, which is that of one node.

    Raises ProvisionError with the mistakes of all rows, each with its line.
    """
    found = rows(path)
    common = _elsewhere(template.common)
    columns = Columns(common)
    problems: list[str] = []
    for name in sorted(found[0].texts.keys() - {NODE}):
        with _noted(problems, f"{path}:1"):
            columns.column(name)
    if problems:
        raise ProvisionError(problems)
    made: list[Made] = []
    seen: dict[str, int] = {}
    for row in found:
        with _noted(problems, f"{path}:{row.line}"):
            node = row.texts.get(NODE) or random_id()
            first = seen.setdefault(node, row.line)
            if first != row.line:
                raise ProvisionError([f"id {node} is that of line {first} too"])
            whole = composed(node, serial, moment, common, columns.own(row.texts))
            data, document = issued(whole, key)
            made.append(Made(document, data))
    if problems:
        raise ProvisionError(_told(problems))
    return made


def _elsewhere(common: Object) -> Object:
    site = common.get("site")
    if not isinstance(site, dict):
        return common
    left = {name: value for name, value in site.items() if name not in POSITION}
    return common | {"site": left}


@contextmanager
def _noted(problems: list[str], where: str) -> Iterator[None]:
    """Keep what is wrong, with where it is, and go on."""
    try:
        yield
    except ProvisionError as exc:
        problems += [f"{where}: {problem}" for problem in exc.problems]


def _told(problems: list[str]) -> list[str]:
    more = len(problems) - MAX_TOLD
    return [*problems[:MAX_TOLD], f"and {more} more mistakes"] if more > 0 else problems


def filed(made: list[Made], directory: Path) -> None:
    """Write DIRECTORY/ID/node.json for each node, and DIRECTORY/district.csv; all or nothing.

    Documents hold secrets: the directories are 0700, the files 0600. Raises ProvisionError where
    the directory is there already and not empty, or cannot be written.
    """
    beside = directory.with_name(f".{directory.name}.new")
    try:
        if directory.exists() and any(directory.iterdir()):
            raise ProvisionError([f"{directory}: holds something already; name another directory"])
        beside.mkdir(mode=0o700, parents=True)
        try:
            for one in made:
                (beside / one.document.node.id).mkdir(mode=0o700)
                written(beside / one.document.node.id / FILE, one.data, 0o600)
            written(beside / SUMMARY, _summary(made).encode(), 0o600)
            beside.rename(directory)
        except BaseException:
            shutil.rmtree(beside, ignore_errors=True)
            raise
    except OSError as exc:
        where = exc.filename or directory
        raise ProvisionError([f"{where}: cannot be written: {exc.strerror}"]) from exc


def _summary(made: list[Made]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEAD)
    for document, _ in made:
        site, signed = document.site, document.signature
        writer.writerow(
            (
                document.node.id,
                site.name,
                site.latitude,
                site.longitude,
                document.serial,
                signed.key if signed else "",
                digest(document),
                f"{document.node.id}/{FILE}",
            )
        )
    return text.getvalue()
