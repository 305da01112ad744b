"""The image: raw, or packed by xz or gzip, read once from its beginning to its end."""

from __future__ import annotations

import gzip
import hashlib
import io
import lzma
import re
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

from edgenode.errors import FlashError
from edgenode.flash.card import CHUNK, MIB
from edgenode.flash.device import SECTOR, sized
from edgenode.flash.table import Span, is_boot, reach, spans

_FAR: Final = 64 * MIB  # where a boot partition begins at the latest
_PACKED: Final = {  # by the first bytes of the file
    b"\xfd7zXZ\x00": "xz",
    b"\x1f\x8b": "gzip",
}
_UNPACK: Final = {
    b"\x28\xb5\x2f\xfd": "zstd: unpack it first (zstd -d), or take the image packed by xz",
    b"PK\x03\x04": "zip: unpack it first (unzip)",
    b"BZh": "bzip2: unpack it first (bunzip2)",
    b"QFI\xfb": "qcow2, for virtual machines: qemu-img convert -O raw",
}
_DAMAGED: Final = (EOFError, lzma.LZMAError, zlib.error, gzip.BadGzipFile)


class Image(NamedTuple):
    """An image that is worth writing."""

    path: Path
    packing: str  # raw, xz or gzip
    file_size: int  # bytes
    need: int  # bytes that a device needs at least; 0 where only reading to the end would tell
    boot: Span | None  # the boot partition EDGENODE, where it has one
    sha256: str  # of the file, as a file beside it says; or empty


class _Told(io.RawIOBase):
    """A file that reckons the SHA-256 of all that is read of it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._hash = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)
        data = self._file.read(len(view))
        view[: len(data)] = data
        self._hash.update(data)
        return len(data)

    def digest(self) -> str:
        """Return the digest of the whole file."""
        while self.read(MIB):  # what follows the packed data
            pass
        return self._hash.hexdigest()


def examined(path: Path) -> Image:
    """Look at an image before anything is written.

    Raises FlashError where it cannot be read, is packed in another way, or has no partitions.
    """
    if path.exists() and not path.is_file():  # a device might be the one to be written
        raise FlashError(f"{path} is no file: give an image")
    try:
        with path.open("rb") as file:
            size = file.seek(0, io.SEEK_END)
            file.seek(0)
            packing = _packing(file.read(SECTOR))
            file.seek(0)
            with closing(_unpacked(file, packing)) as stream:
                found, boot = _partitions(stream)
    except _DAMAGED as exc:
        raise FlashError(f"{path} is damaged ({exc}): fetch it again") from exc
    except OSError as exc:
        raise FlashError(f"{path}: {exc.strerror or exc}") from exc
    except FlashError as exc:
        raise FlashError(f"{path}: {exc}") from exc
    need = reach(found)
    if packing == "raw":
        if size < need:
            raise FlashError(
                f"{path} has {sized(size)}, its partitions reach to {sized(need)}: fetch it again"
            )
        need = size
    return Image(path, packing, size, need, boot, _beside(path))


def chunks(image: Image) -> Iterator[bytes]:
    """Yield the unpacked image in pieces of 4 MiB, the last one as it is.

    Raises FlashError at its end where the file is not that of its SHA-256, and wherever it is
    damaged or does not hold all of its partitions.
    """
    try:
        with image.path.open("rb") as file:
            told = _Told(file)
            size = 0
            with closing(_unpacked(told, image.packing)) as stream:
                while chunk := _read(stream, CHUNK):
                    size += len(chunk)
                    yield chunk
                digest = told.digest()
    except _DAMAGED as exc:
        raise FlashError(f"{image.path} is damaged ({exc}): fetch it again") from exc
    except OSError as exc:
        raise FlashError(f"{image.path}: {exc.strerror or exc}") from exc
    if image.sha256 and digest != image.sha256:
        raise FlashError(f"{image.path} is not the file of {_sums(image.path)}: fetch it again")
    if size < image.need:
        raise FlashError(
            f"{image.path} ends at {sized(size)}, before its last partition: fetch it again"
        )


def _packing(begin: bytes) -> str:
    for magic, what in _UNPACK.items():
        if begin.startswith(magic):
            raise FlashError(f"it is packed by {what}")
    return next((name for magic, name in _PACKED.items() if begin.startswith(magic)), "raw")


def _unpacked(file: Any, packing: str) -> Any:
    """Return a stream of what is in a file."""
    if packing == "xz":
        return lzma.open(file)
    return gzip.open(file) if packing == "gzip" else io.BufferedReader(file, MIB)


def _partitions(stream: Any) -> tuple[list[Span], Span | None]:
    """Return the partitions, and which one is the boot partition."""
    head = _read(stream, SECTOR)
    found = spans(head)
    done = SECTOR
    for span in sorted(found, key=lambda one: one.start):
        if not span.is_fat or not done <= span.start <= _FAR:
            continue
        while done < span.start and (skipped := _read(stream, min(MIB, span.start - done))):
            done += len(skipped)
        sector = _read(stream, SECTOR)
        done += len(sector)
        if is_boot(sector):
            return found, span
    return found, None


def _read(stream: Any, length: int) -> bytes:
    """Return as many bytes as there are, up to a length."""
    found = bytearray()
    while len(found) < length and (more := stream.read(length - len(found))):
        found += more
    return bytes(found)


def _sums(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _beside(path: Path) -> str:
    """Return what a file of sha256sum(1) beside an image says of it; raises FlashError."""
    try:
        lines = _sums(path).read_text("utf-8").splitlines()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as exc:
        raise FlashError(f"{_sums(path)}: {exc}") from exc
    for line in lines:
        found = re.fullmatch(r"([0-9a-fA-F]{64})(?:\s+\*?(.*))?", line.strip())
        if found and found[2] in {None, "", path.name, f"./{path.name}"}:
            return found[1].lower()
    raise FlashError(f"{_sums(path)} has no SHA-256 of {path.name}: write it by sha256sum")
