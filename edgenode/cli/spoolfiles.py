"""`edgenode spool export|verify|salvage`: working on the files of the spool themselves."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from edgenode.cli import NOT_WELL, WELL
from edgenode.cli.asking import show
from edgenode.cli.offline import SPOOL
from edgenode.cli.words import many, size
from edgenode.spool import offline


def run(args: argparse.Namespace) -> int:
    """Do what was asked; raises SpoolError with what to do where it cannot be done."""
    directory = Path(args.state) / SPOOL
    if args.work == "verify":
        document = verified(directory)
        show(args, document, _verify_lines)
        return WELL if document["sound"] else NOT_WELL
    work = offline.export if args.work == "export" else offline.salvage
    document = written(work, directory, args.file)
    show(args, document, _write_lines)
    return NOT_WELL if args.work == "export" and document["damaged"] else WELL


def verified(directory: Path) -> dict[str, Any]:
    """Return what is sound and what is damaged."""
    found = offline.verify(directory)
    return {
        "format": 1,
        **{key: value for key, value in asdict(found).items() if key != "findings"},
        "sound": found.sound,
        "findings": [finding._asdict() for finding in found.findings],
    }


def written(
    work: Callable[[Path, Path], offline.Exported], directory: Path, file: Path
) -> dict[str, Any]:
    """Write the file and return what is in it."""
    return {"format": 1, "file": str(file), **asdict(work(directory, file))}


def _verify_lines(found: dict[str, Any]) -> Iterator[str]:
    yield "sound: nothing is damaged" if found["sound"] else "DAMAGED:"
    yield f"  journal  {found['blocks_sound']} blocks sound, {found['blocks_damaged']} damaged"
    yield (
        f"  store    {found['rows_sound']} rows sound, {found['rows_damaged']} damaged;"
        f" {found['pages_damaged']} pages damaged"
    )
    for finding in found["findings"]:
        yield f"  ! {finding['where']}: {finding['what']}"
    if not found["steady"]:
        yield "  a daemon wrote meanwhile: what is damaged may be a page of that moment; ask again"
    if not found["sound"]:
        yield "  do: the daemon mends and accounts at its next start; edgenode spool salvage FILE"


def _write_lines(found: dict[str, Any]) -> Iterator[str]:
    batches, births = many(found["batches"], "batch"), many(found["births"], "birth")
    yield f"{found['file']}: {batches} and {births}, {size(found['bytes'])}"
    if found["damaged"]:
        yield f"  left out since they are damaged: {found['damaged']}; see edgenode spool verify"
    if not found["steady"]:
        yield "  a daemon wrote meanwhile: export again for the whole of it"
