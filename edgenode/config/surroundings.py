"""What this machine says to a configuration: ports that move, mounts that wear, files amiss."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from edgenode.bus.ports import is_bare, stable_name
from edgenode.config.credentials import PREFIX
from edgenode.config.model import Config

COMMIT_S: Final = 60  # seconds between two commits of ext4's own journal
JOURNALED: Final = frozenset({"ext3", "ext4"})  # what knows the option commit=
FORGETS: Final = frozenset({"tmpfs", "ramfs", "overlay"})
MOUNTS: Final = "proc/self/mounts"


class Mount(NamedTuple):
    """One line of /proc/self/mounts."""

    point: str
    kind: str
    options: tuple[str, ...]


def surroundings(config: Config, root: Path = Path("/")) -> list[str]:
    """Return a sentence for everything on this machine that a maintainer should see to.

    `root` is / but for tests. Nothing is opened but text files of the kernel.
    """
    return [
        *_ports(config, root),
        *_mount(config.node.state, root),
        *_room(config),
        *_files(config),
    ]


def _ports(config: Config, root: Path) -> Iterator[str]:
    for bus in config.buses:
        if not bus.path.startswith("/"):
            continue
        if bus.kind == "serial" and is_bare(bus.path):
            stable = stable_name(bus.path, str(root / "dev"))
            kept = f"/{Path(stable).relative_to(root)}" if stable else ""
            advice = f'write path = "{kept}"' if stable else "look into /dev/serial/by-id"
            yield f"bus {bus.name!r}: {bus.path} changes with the order of plugging; {advice}"
        if not (root / bus.path.lstrip("/")).exists():
            yield f"bus {bus.name!r}: there is no {bus.path} here now"


def _mount(state: Path, root: Path) -> Iterator[str]:
    mount = mount_of(Path(os.path.realpath(state)), root)
    if mount is None:
        return
    if mount.kind in FORGETS:
        yield (
            f"node.state: {state} is on {mount.kind}, which a power cut or a new start may empty;"
            " keep it on a disk"
        )
        return
    wanted = [] if "noatime" in mount.options else ["noatime"]
    if mount.kind in JOURNALED and _commit_s(mount) < COMMIT_S:
        wanted.append(f"commit={COMMIT_S}")
    if wanted:
        yield (
            f"node.state: {mount.point} is mounted without {','.join(wanted)}, so the card is"
            " written to more than it need be; add that to its options in /etc/fstab"
        )


def mount_of(path: Path, root: Path = Path("/")) -> Mount | None:
    """Return the mount that `path`, with its links resolved, lies on; None where nobody says."""
    try:
        lines = (root / MOUNTS).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    mounts = [_parsed(line) for line in lines if len(line.split()) >= 4]
    around = [mount for mount in mounts if path.is_relative_to(mount.point)]
    # Of two mounts on one point the later one covers the earlier.
    return max(reversed(around), key=lambda mount: len(mount.point), default=None)


def _parsed(line: str) -> Mount:
    _, point, kind, options, *_ = line.split()
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\134", "\\")):  # proc(5)
        point = point.replace(code, character)
    return Mount(point, kind, tuple(options.split(",")))


def _commit_s(mount: Mount) -> int:
    given = [word.removeprefix("commit=") for word in mount.options if word.startswith("commit=")]
    return int(given[-1]) if given and given[-1].isdigit() else 5  # ext4(5): 5 s unless told


def _room(config: Config) -> Iterator[str]:
    """Compare the cap with what is free where the spool is, or will be, and what it has already."""
    state = config.node.state
    try:
        there = next(path for path in (state, *state.parents) if path.exists())
        disk = os.statvfs(there)
        held = sum(file.stat().st_size for file in state.glob("spool/*/*") if file.is_file())
    except OSError:  # not ours to see
        return
    room = disk.f_bavail * disk.f_frsize + held
    asked = config.spool.cap_mb
    if asked << 20 > room:
        yield (
            f"spool.cap_mb: {asked} MB are asked for, and the disk of {state} has room"
            f" for {room >> 20}: lower it, or make room"
        )


def _files(config: Config) -> Iterator[str]:
    for index, broker in enumerate(config.uplink.broker):
        for key in ("ca", "cert", "key", "password_file"):
            path: Path | None = getattr(broker, key)
            if path is not None and not str(path).startswith(PREFIX):
                yield from _file(f"uplink.broker[{index}].{key}", path, key)


def _file(name: str, path: Path, key: str) -> Iterator[str]:
    try:
        mode = path.stat().st_mode
    except OSError as exc:
        yield f"{name}: {path}: {exc.strerror}"
        return
    if key in {"key", "password_file"} and mode & stat.S_IROTH:
        yield f"{name}: everybody on this machine may read {path}; chmod o= {path}"
