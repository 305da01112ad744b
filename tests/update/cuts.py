"""What a power cut may leave of small files, worked out from the system calls of a program.

What a program does to files below a directory is recorded by strace. A cut is made before each of
these calls: a file that was not synchronised since it was written may hold all, a part or nothing
of it; a name that was given after the last synchronisation of its directory may be there or not.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

TRACED = "openat,write,rename,renameat,renameat2,fsync,fdatasync,unlink,unlinkat,ftruncate"
UNFINISHED = " <unfinished ...>"
RESUMED = re.compile(r"<\.\.\. \w+ resumed>(.*)")
Files = dict[str, bytes]


@dataclass(frozen=True)
class Call:
    """One change: `kind` is create, write, sync (of a file), rename, or names (of a directory)."""

    kind: str
    name: str = ""
    data: bytes = b""
    to: str = ""


def recorded(command: Sequence[str | Path], directory: Path, log: Path) -> list[Call]:
    """Run a command and return what it did to files of `directory`, in order."""
    words = ("strace", "-f", "-y", "-xx", "-s", "4096", "-e", f"trace={TRACED}", "-o", log)
    subprocess.run((*words, *command), check=True, capture_output=True)
    return [call for line in _whole(log.read_text()) for call in _call(line, directory)]


def _whole(text: str) -> Iterator[str]:
    """Yield one line for each call, where strace shows its end apart from its beginning."""
    begun: dict[str, str] = {}
    for line in text.splitlines():
        pid, _, rest = line.partition(" ")
        if rest.endswith(UNFINISHED):
            begun[pid] = rest.strip().removesuffix(UNFINISHED)
        elif match := RESUMED.match(rest.strip()):
            yield f"{pid} {begun.pop(pid)}{match[1]}"
        else:
            yield line


def _call(line: str, directory: Path) -> Iterator[Call]:
    match = re.match(r"\d+ +(\w+)\((.*)\) += (-?\d+)", line)
    if match is None or match[3].startswith("-"):
        return
    kind, words = match[1], match[2]
    texts = [
        bytes.fromhex(text.replace("\\x", "")) for text in re.findall(r'"((?:\\x..)*)"', words)
    ]
    held = re.match(r"\d+<((?:\\x..)*)>", words)
    file = Path(bytes.fromhex(held[1].replace("\\x", "")).decode()) if held else None
    if kind == "openat" and "O_WRONLY" in words and texts:
        path = Path(texts[0].decode())
        if path.parent == directory:
            yield Call("create", path.name)
    elif kind == "write" and file and file.parent == directory:
        yield Call("write", file.name, texts[-1])
    elif kind in {"fsync", "fdatasync"} and file:
        if file == directory:
            yield Call("names")
        elif file.parent == directory:
            yield Call("sync", file.name)
    elif kind.startswith("rename") and Path(texts[-1].decode()).parent == directory:
        yield Call("rename", Path(texts[-2].decode()).name, to=Path(texts[-1].decode()).name)


@dataclass
class Disk:
    """Files with a volatile cache; `kept` is what a cut cannot take any more."""

    kept: Files
    seen: Files = field(default_factory=dict)  # as the program sees it
    loose: dict[str, bytes] = field(default_factory=dict)  # not synchronised: what was written
    names: list[tuple[str, str]] = field(default_factory=list)  # renames that are not durable

    def __post_init__(self) -> None:
        self.seen = dict(self.kept)

    def do(self, call: Call) -> None:
        """Carry out one call."""
        if call.kind == "create":
            self.seen[call.name] = self.loose[call.name] = b""
        elif call.kind == "write":
            self.seen[call.name] += call.data
            self.loose[call.name] = self.seen[call.name]
        elif call.kind == "sync":
            self.loose.pop(call.name, None)
            self.kept[call.name] = self.seen[call.name]
        elif call.kind == "rename":
            self.seen[call.to] = self.seen.pop(call.name)
            if call.name in self.loose:
                self.loose[call.to] = self.loose.pop(call.name)
            self.names.append((call.name, call.to))
        elif call.kind == "names":
            self.kept, self.names = dict(self.kept), []
            for name in set(self.kept) | set(self.seen):
                if name in self.seen and name not in self.loose:
                    self.kept[name] = self.seen[name]
                elif name not in self.seen:
                    self.kept.pop(name, None)

    def left(self) -> Iterator[Files]:
        """Yield what a cut may leave now."""
        named: list[Files] = [dict(self.kept)]
        if self.names:
            named.append({**self.kept, **self.seen})
        elif self.loose:
            named.append({**self.kept, **{name: self.seen[name] for name in self.loose}})
        for files in named:
            torn = [name for name in self.loose if name in files]
            for parts in product((0.0, 0.5, 1.0), repeat=len(torn)):
                cut = zip(torn, parts, strict=True)
                yield files | {name: _part(files[name], share) for name, share in cut}


def _part(data: bytes, share: float) -> bytes:
    return data[: round(len(data) * share)]


def cuts(before: Mapping[str, bytes], calls: Sequence[Call]) -> Iterator[Files]:
    """Yield every state of the files that a cut before, between or after the calls may leave."""
    disk = Disk(dict(before))
    yield dict(before)
    for call in calls:
        disk.do(call)
        yield from disk.left()
