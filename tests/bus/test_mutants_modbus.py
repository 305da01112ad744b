"""One wrong constant in the Modbus master must turn its known answers red."""

from __future__ import annotations

from types import ModuleType

import pytest

from edgenode.bus import modbus
from edgenode.errors import BadFrame, BusError, BusTimeout, EdgenodeError, WrongDevice
from edgenode.reading import SerialLine
from tests.bus.test_modbus import ASKED, REGISTERS, VOLTS, sealed
from tests.support.fake_cable import USUAL_S, FakeCable
from tests.support.mutants import mutated

FAST = 0.001_75
MUTANTS = [
    ("READ_INPUT: Final = 0x04", "READ_INPUT: Final = 0x03"),
    ("ADDRESS_MOST: Final = 247", "ADDRESS_MOST: Final = 255"),
    ("REGISTERS_MOST: Final = 125", "REGISTERS_MOST: Final = 126"),
    ("EXCEPTION_BYTES: Final = 5", "EXCEPTION_BYTES: Final = 6"),
    ("EXCEPTION_FLAG: Final = 0x80", "EXCEPTION_FLAG: Final = 0x40"),
    ("SILENT_CHARACTERS: Final = 3.5", "SILENT_CHARACTERS: Final = 1.5"),
    ("FAST_BAUD: Final = 19_200", "FAST_BAUD: Final = 9_600"),
    ("FAST_SILENCE_S: Final = 0.001_75", "FAST_SILENCE_S: Final = 0.000_75"),
    ("ANSWER_S: Final = 0.5", "ANSWER_S: Final = 0.05"),
    ("FOREIGN: Final = frozenset({1, 2, 3})", "FOREIGN: Final = frozenset({4, 6})"),
    ("0xA001", "0x8005"),
    ("remainder(data, 0xFFFF)", "remainder(data, 0)"),
    ("crc >> 8 ^ TABLE", "crc >> 7 ^ TABLE"),
    ("& 0xFF]", "& 0x7F]"),
    ('to_bytes(2, "little")', 'to_bytes(2, "big")'),
    ('">BBHH"', '"<BBHH"'),
    ("self._port.discard()", "pass"),
    ("if answer[0] != address:", "if not address:"),
    ("answer[3:-2]", "answer[2:-2]"),
    ("not self._port.receive(FRAME_MOST", "self._port.receive(FRAME_MOST"),
]


def raises(module: ModuleType, answer: bytes, kind: type[EdgenodeError]) -> bool:
    try:
        module.Slave(FakeCable(lambda _: answer), 1).read_input_registers(0, 2)
    except EdgenodeError as exc:
        return type(exc) is kind
    return False


def refuses(module: ModuleType, address: int, count: int) -> bool:
    try:
        module.request(address, 4, 0, count)
    except ValueError:
        return True
    return False


def later(cable: FakeCable) -> bytes:
    """Say the answer in two lumps, 40 ms apart."""
    cable.says(VOLTS[:5], 0.03)
    cable.says(VOLTS[5:], 0.07)
    return b""


def answers_hold(module: ModuleType) -> bool:
    """Whether answers are taken, echoes and old bytes dropped, and lumps waited for."""
    cable = FakeCable(lambda _: VOLTS)
    cable.late_s = 0.4
    slave = module.Slave(cable, 1)
    patient = module.Slave(cable, 1, gap_s=0.1)
    cable.says(bytes(4000))  # what nobody has read
    cable.now_s = 10.0
    first = patient.read_input_registers(0, 2)
    cable.echo = True
    echoed = slave.read_input_registers(0, 2)
    quick = abs(FAST - module.silence_s(SerialLine(38_400))) < 1e-9
    lumpy = FakeCable()
    lumpy.parts = [lambda _: later(lumpy)]
    lumps = module.Slave(lumpy, 1).read_input_registers(0, 2)
    paced = cable.silences[1] >= 3.5 * 10 / 9600 - 1e-9
    return (
        first == echoed == lumps == REGISTERS and cable.sent == [ASKED, ASKED] and quick and paced
    )


def known_answers_hold(module: ModuleType) -> bool:
    """Whether the master asks, waits, takes and refuses as the specification says."""
    try:
        if not answers_hold(module):
            return False
    except (EdgenodeError, ValueError):
        return False
    line = SerialLine(19_200)
    usual = module.usual_s(line, 2, 0, USUAL_S)
    return (
        raises(module, sealed("01 84 02"), WrongDevice)
        and raises(module, sealed("01 84 06"), BusError)
        and raises(module, sealed("02 04 04 43 66 33 33"), BadFrame)
        and raises(module, b"", BusTimeout)
        and refuses(module, 248, 1)
        and refuses(module, 1, 126)
        and abs(usual - (3.5 + 17) * 10 / 19_200 - USUAL_S) < 1e-9
    )


def test_the_master_itself_gives_the_known_answers() -> None:
    assert known_answers_hold(modbus)


@pytest.mark.parametrize(("old", "new"), MUTANTS, ids=[new for _, new in MUTANTS])
def test_a_wrong_constant_turns_the_known_answers_red(old: str, new: str) -> None:
    assert not known_answers_hold(mutated(modbus, old, new))
