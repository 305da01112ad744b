"""Where a secret lies: a path of its own, or a credential that systemd has handed over.

systemd.exec(5), "Credentials": the unit says `LoadCredential=NAME:/path/of/the/file`, and the
service finds the file NAME in the directory $CREDENTIALS_DIRECTORY, readable by it alone.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from edgenode.errors import NodeError

PREFIX: Final = "credential:"
PATTERN: Final = f"{PREFIX}[A-Za-z0-9][-._A-Za-z0-9]{{0,254}}"  # the name of a file, no path
DIRECTORY: Final = "CREDENTIALS_DIRECTORY"


def resolved(path: Path, environment: Mapping[str, str] = os.environ) -> Path:
    """Return where the file lies that `path` means: itself, or for credential:NAME the credential.

    Ask anew for each use. Raises NodeError where there is no such credential.
    """
    text = str(path)
    if not text.startswith(PREFIX):
        return path
    name = text.removeprefix(PREFIX)
    advice = f"give the unit LoadCredential={name}:/path/of/the/file, or write a path"
    directory = environment.get(DIRECTORY)
    if not directory:
        raise NodeError(f"{text}: systemd has handed over no credentials here; {advice}")
    found = Path(directory) / name
    if not found.is_file():
        raise NodeError(f"{text}: there is no such credential in {directory}; {advice}")
    return found
