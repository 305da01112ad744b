"""Where an answer begins: with an echo and without, and how long characters take."""

from __future__ import annotations

from types import ModuleType

import pytest

from edgenode.bus import echo
from edgenode.reading import SerialLine
from tests.support.fake_cable import FakeCable
from tests.support.mutants import mutated

ASKED = b"\x10\x40\x01\x41\x16"
SAID = b"\x68\x03\x03\x68\x08"
WAIT_S = 0.1
MUTANTS = [
    ("LUMP_S: Final = 0.1", "LUMP_S: Final = 0.001"),
    ("1 + line.data_bits", "line.data_bits"),
    ('(line.parity != "none")', "0"),
    ("+ line.stop_bits", "+ 1"),
    ("if head == asked:", "if head != asked:"),
    ("if head and asked.startswith(head):", "if not head:"),
    ("left = len(asked) - len(head)", "left = len(asked)"),
]


def heard(module: ModuleType, said: bytes, size: int, *, with_echo: bool) -> bytes:
    cable = FakeCable(lambda _: said)
    cable.echo = with_echo
    cable.write(ASKED)
    found: bytes = module.begun(cable, ASKED, size, WAIT_S)
    return found


def lumpy(module: ModuleType) -> bytes:
    """Return what is heard where the echo comes in two lumps and the answer behind it."""
    cable = FakeCable()
    cable.says(ASKED[:2], 0.01)
    cable.says(ASKED[2:], 0.08)
    cable.says(SAID, 0.12)
    found: bytes = module.begun(cable, ASKED, 2, WAIT_S)
    return found


def known_answers_hold(module: ModuleType) -> bool:
    return (
        heard(module, SAID, 4, with_echo=False) == heard(module, SAID, 4, with_echo=True)
        and heard(module, SAID, 4, with_echo=True) == SAID[:4]
        and heard(module, b"\xe5", 1, with_echo=True) == b"\xe5"
        and heard(module, b"", 4, with_echo=False) == heard(module, b"", 4, with_echo=True) == b""
        and heard(module, ASKED[:4] + SAID, 4, with_echo=False) == ASKED[:4] + SAID[:1]
        and lumpy(module) == SAID[:2]
        and module.character_s(SerialLine(9600)) == pytest.approx(10 / 9600)
        and module.character_s(SerialLine(9600, "even", 8, 2)) == pytest.approx(12 / 9600)
    )


def test_the_echo_is_told_from_the_answer_and_characters_have_their_length() -> None:
    assert known_answers_hold(echo)


@pytest.mark.parametrize(("old", "new"), MUTANTS, ids=[new for _, new in MUTANTS])
def test_a_wrong_constant_turns_the_known_answers_red(old: str, new: str) -> None:
    assert not known_answers_hold(mutated(echo, old, new))
