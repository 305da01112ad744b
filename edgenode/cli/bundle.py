"""Write one archive for whoever shall help, without any secret; works without a daemon."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edgenode.cli import WELL
from edgenode.cli.asking import add_config_option, add_options, show
from edgenode.cli.words import size, table
from edgenode.errors import NodeError

MODE = 0o600  # it tells how a node is built; whoever writes it decides who reads it


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "file", nargs="?", type=Path, metavar="FILE", help="default: edgenode-<node>-<time>.tar.gz"
    )
    add_config_option(parser)
    add_options(parser)


def run(args: argparse.Namespace) -> int:
    """Gather, redact and write; say what is in it and what is missing."""
    from edgenode.cli.gathering import gathered  # noqa: PLC0415 - `--help` shall not pay for it

    node, members = gathered(args.config, Path(args.socket), Path(args.state))
    name = f"edgenode-{node or 'node'}-{time.strftime('%Y%m%dT%H%M%S')}.tar.gz"
    target = args.file or Path(name)
    written = _write(target, members)
    contents = [member.row() for member in members]
    document = {"format": 1, "file": str(target), "bytes": written, "contents": contents}
    show(args, document, text)
    return WELL


def _write(target: Path, members: list[Any]) -> int:
    import io  # noqa: PLC0415 - `--help` shall not pay for it
    import tarfile  # noqa: PLC0415 - the same

    now = int(time.time())
    try:
        handle = os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, MODE)
        with os.fdopen(handle, "wb") as file:
            with tarfile.open(fileobj=file, mode="w:gz") as archive:
                for member in members:
                    info = tarfile.TarInfo(f"edgenode/{member.name}")
                    info.size, info.mtime, info.mode = len(member.data), now, MODE
                    archive.addfile(info, io.BytesIO(member.data))
            return file.tell()
    except FileExistsError:
        raise NodeError(f"{target}: is there already; name another file") from None
    except OSError as exc:
        raise NodeError(f"{target}: cannot be written: {exc.strerror}; name another file") from exc


def text(answer: dict[str, Any]) -> Iterator[str]:
    """Yield what is in the archive, and what is missing."""
    yield f"{answer['file']}: {size(answer['bytes'])}, without secrets; look into it before sending"
    yield from table(
        [
            (
                f"  {row['name']}",
                size(row["bytes"]),
                f"missing: {row['problem']}" if row["problem"] else "",
            )
            for row in answer["contents"]
        ],
        right=(1,),
    )
