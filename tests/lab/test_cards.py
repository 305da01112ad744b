"""A card that was written here, as a real kernel sees it."""

from __future__ import annotations

import pytest

from tests.lab.conftest import Step

pytestmark = [pytest.mark.root, pytest.mark.timeout(400)]


def test_the_kernel_sees_the_partitions_of_a_card_as_soon_as_it_is_written(step: Step) -> None:
    found = step("cards")
    assert found["seen"] is True
    assert found["partitions"] == [f"{found['name']}p{n}" for n in range(1, 8)]


def test_the_kernels_vfat_reads_what_was_put_into_the_boot_partition(step: Step) -> None:
    assert step("cards")["boot"] == {
        "names": ["autoboot.txt", "city.pub", "node.json"],
        "same": True,
    }


def test_a_card_with_a_partition_in_use_is_refused_and_free_afterwards(step: Step) -> None:
    found = step("cards")
    name = found["name"]
    assert found["refused"]["mounted"] == [
        f"{name}p2 is mounted at /run/cards/mnt: umount /run/cards/mnt"
    ]
    (mapped,) = found["refused"]["mapped"]
    assert mapped.startswith(f"{name}p5 is held by dm-0 (secret): take that down first")
    assert found["refused"]["swap"] == [f"{name}p3 is used as swap: swapoff /dev/{name}p3"]
    assert found["free"] == []
