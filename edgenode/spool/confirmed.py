"""Whether the version that runs may write a format that the version before cannot read.

After an update by slots the system before comes back by itself where the present one does not prove
well, and must find a spool that it can read. A small file of the state directory says which version
has proved well: `edgenode update confirm` writes it, and the spool is told through its options.
"""

from __future__ import annotations

from pathlib import Path

from edgenode import durable

PLACE = Path("update") / "confirmed"  # of the state directory
MOST = 100  # characters of a version


def confirmed(state: Path, version: str) -> bool:
    """Whether `version` has proved well, or there is nothing that could come back.

    Without the file this machine has never been updated by slots: nothing comes back. A file that
    cannot be read proves nothing.
    """
    try:
        return (state / PLACE).read_text("utf-8").strip() == version
    except FileNotFoundError:
        return True
    except (OSError, UnicodeDecodeError):
        return False


def confirm(state: Path, version: str) -> None:
    """Note durably that `version` has proved well; raises OSError, ValueError for no version."""
    if not (0 < len(version) <= MOST and version.isprintable()):
        raise ValueError(f"{version!r} is no version")
    path = state / PLACE
    path.parent.mkdir(mode=0o755, exist_ok=True)
    durable.write(path, f"{version}\n".encode(), 0o644, None)  # the daemon is another user
