"""An image is looked at before anything is written, and read to its very end."""

from __future__ import annotations

import gzip
import hashlib
import lzma
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from edgenode.errors import FlashError
from edgenode.flash import examined
from edgenode.flash.image import chunks
from edgenode.flash.inject import ready
from edgenode.flash.table import is_boot, spans
from tests.flash.images import MIB, PLACES, SIZE
from tests.support.disks import run

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "raw": bytes,
    "xz": lambda data: lzma.compress(data, preset=0),
    "gzip": lambda data: gzip.compress(data, 1),
}


@pytest.fixture(scope="session", params=PACKERS)
def packed(image: Path, request: pytest.FixtureRequest) -> tuple[str, bytes]:
    return request.param, PACKERS[request.param](image.read_bytes())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "edgenode.img"


def beside(file: Path, text: str) -> None:
    file.with_name("edgenode.img.sha256").write_text(text)


def test_an_image_reads_the_same_however_it_is_packed_and_whatever_its_name(
    packed: tuple[str, bytes], image: Path, file: Path
) -> None:
    packing, data = packed
    file.write_bytes(data)
    found = examined(file)
    assert found.packing == packing
    assert b"".join(chunks(found)) == image.read_bytes()


def test_what_an_image_needs_is_known_before_it_is_unpacked(
    packed: tuple[str, bytes], file: Path
) -> None:
    packing, data = packed
    file.write_bytes(data)
    assert examined(file).need == (SIZE if packing == "raw" else 13 * MIB)


def test_the_boot_partition_is_found_by_its_label(packed: tuple[str, bytes], file: Path) -> None:
    file.write_bytes(packed[1])
    boot = examined(file).boot
    assert boot
    assert (boot.start, boot.size) == (PLACES[1][0] * MIB, PLACES[1][1] * MIB)


@pytest.mark.parametrize(("size", "sectors"), [(12, 64), (16, 4), (32, 1)])
def test_the_label_is_found_in_every_kind_of_fat(tmp_path: Path, size: int, sectors: int) -> None:
    part = tmp_path / "fat"
    with part.open("wb") as made:
        made.truncate(40 * MIB)
    run("mkfs.vfat", "-F", str(size), "-s", str(sectors), "-n", "EDGENODE", part)
    assert is_boot(part.read_bytes()[:512])
    run("fatlabel", part, "OTHER")
    assert not is_boot(part.read_bytes()[:512])


def test_an_image_of_somebody_else_can_be_written_but_takes_no_document(
    image: Path, file: Path
) -> None:
    data = bytearray(image.read_bytes())
    at = data.index(b"EDGENODE   ", MIB)
    data[at : at + 11] = b"bootfs     "
    file.write_bytes(data)
    found = examined(file)
    assert found.boot is None
    with pytest.raises(FlashError, match="no FAT partition EDGENODE"):
        ready(found.boot)


def test_mtools_are_asked_for_by_their_package(
    image: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FlashError, match="apt install mtools"):
        ready(examined(image).boot)


@pytest.mark.parametrize(
    "line", ["{sha}  edgenode.img", "{sha} *edgenode.img", "{sha}  ./edgenode.img", "{SHA}"]
)
def test_the_sum_beside_an_image_is_checked_in_all_spellings_of_sha256sum(
    packed: tuple[str, bytes], file: Path, line: str
) -> None:
    _, data = packed
    file.write_bytes(data)
    sha = hashlib.sha256(data).hexdigest()
    other = f"{'0' * 64}  other.img\n"
    beside(file, other + line.format(sha=sha, SHA=sha.upper()) + "\n")
    found = examined(file)
    assert found.sha256 == sha
    for _ in chunks(found):
        pass


def test_a_file_that_is_not_that_of_its_sum_fails_at_its_end(
    packed: tuple[str, bytes], file: Path
) -> None:
    _, data = packed
    file.write_bytes(data)
    beside(file, f"{'ab' * 32}  edgenode.img\n")
    source = chunks(examined(file))
    with pytest.raises(FlashError, match=r"is not the file of .*edgenode\.img\.sha256"):
        list(source)


def test_a_sum_of_other_files_is_a_mistake_and_not_passed_over(image: Path, file: Path) -> None:
    shutil.copy(image, file)
    beside(file, f"{'ab' * 32}  other.img\n")
    with pytest.raises(FlashError, match=r"has no SHA-256 of edgenode\.img"):
        examined(file)


def test_a_file_that_was_cut_short_is_refused(packed: tuple[str, bytes], file: Path) -> None:
    packing, data = packed
    file.write_bytes(data[: len(data) * 3 // 4])
    if packing == "raw":
        with pytest.raises(FlashError, match=r"its partitions reach to 13\.6 MB"):
            examined(file)
        return
    source = chunks(examined(file))
    with pytest.raises(FlashError, match="is damaged"):
        list(source)


@pytest.mark.parametrize("packing", ["xz", "gzip"])
def test_a_packed_image_that_lacks_its_last_partition_is_noticed(
    image: Path, file: Path, packing: str
) -> None:
    file.write_bytes(PACKERS[packing](image.read_bytes()[: 10 * MIB]))
    source = chunks(examined(file))
    with pytest.raises(FlashError, match="before its last partition"):
        list(source)


@pytest.mark.parametrize("packing", ["xz", "gzip"])
def test_a_packed_image_with_a_damaged_byte_is_noticed(
    image: Path, file: Path, packing: str
) -> None:
    data = bytearray(PACKERS[packing](image.read_bytes()))
    data[len(data) // 3] ^= 0xFF
    file.write_bytes(data)
    with pytest.raises(FlashError, match="is damaged"):
        list(chunks(examined(file)))


@pytest.mark.parametrize(
    ("begin", "what"),
    [
        (b"\x28\xb5\x2f\xfd", "zstd -d"),
        (b"PK\x03\x04", "unzip"),
        (b"QFI\xfb", "qemu-img"),
        (b"BZh9", "bunzip2"),
        (b"hello", "not the image of a card"),
        (b"", "not the image of a card"),
    ],
)
def test_what_is_no_image_is_refused_with_what_to_do(file: Path, begin: bytes, what: str) -> None:
    file.write_bytes(begin.ljust(4096, b"\0") if begin else b"")
    with pytest.raises(FlashError, match=what):
        examined(file)


def test_a_device_in_place_of_an_image_is_refused() -> None:
    with pytest.raises(FlashError, match=r"/dev/zero is no file: give an image"):
        examined(Path("/dev/zero"))


def test_a_missing_image_is_named(file: Path) -> None:
    with pytest.raises(FlashError, match=r"edgenode\.img: No such file"):
        examined(file)


def test_an_empty_table_is_no_image_of_a_card() -> None:
    with pytest.raises(FlashError, match="partition table is empty"):
        spans(bytes(510) + b"\x55\xaa")
