"""Settings of the machine itself that a document brings, and putting them in their places.

They are kept in one file of /etc/edgenode and written to their places at each boot, so that a root
file system which forgets, or which an update has exchanged, has them too.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from edgenode import durable
from edgenode.durable import Owner
from edgenode.errors import NodeError

NAME: Final = "settings.json"
MODE: Final = 0o600  # passphrases of Wi-Fi are among them
ROOT: Final = "root"
HOME: Final = "~/"
OPEN, PRIVATE = 0o755, 0o700  # directories that are made for a file: of root, of somebody else
FIELDS: Final = 7  # of a line of passwd(5)
NUMBER: Final = 2  # the column of the number, there and in group(5)


class Setting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file: where below the root, or with ~/ below the user's home; its text, mode and owner."""

    path: str
    text: str = ""
    mode: int = 0o644
    user: str = ROOT


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All files of a document, and those that earlier documents had and it has not."""

    files: tuple[Setting, ...] = ()
    gone: tuple[Setting, ...] = ()


class Account(NamedTuple):
    """A user of the machine; `home` is relative to its root."""

    owns: Owner
    home: str


Work = Callable[[Path, Setting, Owner], object]


def settings(etc: Path) -> Settings:
    """Return what was accepted last; raises NodeError where the file is damaged."""
    path = etc / NAME
    try:
        return msgspec.json.decode(path.read_bytes(), type=Settings)
    except FileNotFoundError:
        return Settings()
    except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
        words = "remove it, and take the city's node.json once more, with a higher serial"
        raise NodeError(f"{path}: damaged ({exc}); {words}") from exc


def following(before: Settings, files: Sequence[Setting]) -> Settings:
    """Return what holds after a document with these files."""
    paths = {one.path for one in files}
    gone = {one.path: Setting(one.path, user=one.user) for one in (*before.gone, *before.files)}
    return Settings(tuple(files), tuple(one for path, one in gone.items() if path not in paths))


def keep(etc: Path, coming: Settings, owns: Owner | None) -> None:
    """Remember them durably."""
    text = json.dumps(msgspec.to_builtins(coming), indent=1, ensure_ascii=False)
    durable.write(etc / NAME, text.encode(), MODE, owns)


def put(root: Path, etc: Path) -> list[str]:
    """Have every file in its place; return sentences about those that could not be put there.

    Raises OSError of the disk where the file is root's, NodeError.
    """
    kept = settings(etc)
    accounts = _accounts(root)
    gone = [one for one in kept.gone if one.user in accounts]
    works: list[tuple[Setting, Work]] = [(one, _remove) for one in gone]
    works += [(one, _write) for one in kept.files]
    done = (_done(root, one, accounts.get(one.user), work) for one, work in works)
    return [words for told in done for words in told]


def _done(root: Path, one: Setting, account: Account | None, work: Work) -> Iterator[str]:
    """Do the work as who owns the file; what users have made of their homes stops nothing else."""
    if account is None:
        yield (
            f"{one.path} of {one.user} was left out: there is no such user on this machine; "
            f"adduser {one.user}, then edgenode firstboot"
        )
    elif one.user == ROOT:
        work(root / one.path, one, account.owns)
    else:
        home = root / account.home
        try:
            if not home.exists():
                durable.directory(home, PRIVATE, account.owns)
            with _being(account.owns):
                work(home / one.path.removeprefix(HOME), one, account.owns)
        except OSError as exc:
            yield f"{one.path} of {one.user} was left as it is: {exc.filename}: {exc.strerror}"


def _write(path: Path, one: Setting, owns: Owner) -> None:
    for above in reversed(path.parents):
        if not above.is_dir():
            durable.directory(above, OPEN if one.user == ROOT else PRIVATE, owns)
    durable.write(path, one.text.encode(), one.mode, owns)


def _remove(path: Path, _: Setting, __: Owner) -> None:
    durable.remove(path)


@contextmanager
def _being(owns: Owner) -> Iterator[None]:
    """Be another user meanwhile: then a link in their home leads to nothing that is not theirs."""
    if os.geteuid() != 0:
        yield
        return
    groups = os.getgroups()
    os.setgroups([owns.group])
    os.setegid(owns.group)
    os.seteuid(owns.user)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


def group(root: Path, name: str) -> int:
    """Return the number that a group has below that root; raises NodeError."""
    for row in _rows(root / "etc/group"):
        if row[0] == name and len(row) > NUMBER and row[NUMBER].isdecimal():
            return int(row[NUMBER])
    words = "systemd-sysusers makes it of what the package brings"
    raise NodeError(f"{root / 'etc/group'}: there is no group {name}; {words}")


def _rows(path: Path) -> list[list[str]]:
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    return [line.split(":") for line in text.splitlines()]


def _accounts(root: Path) -> dict[str, Account]:
    """Return the users of that root, by its own passwd(5)."""
    rows = _rows(root / "etc/passwd")
    return {
        row[0]: Account(Owner(int(row[2]), int(row[3])), row[5].lstrip("/"))
        for row in rows
        if len(row) == FIELDS and row[2].isdecimal() and row[3].isdecimal()
    }
