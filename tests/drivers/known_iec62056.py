"""Known answers of the IEC 62056-21 driver and of its reader, and changes that fail them."""

from __future__ import annotations

from types import ModuleType

from edgenode.bus.parity import with_parity, without_parity
from edgenode.errors import EdgenodeError
from edgenode.reading import Quality, SerialLine
from edgenode.virtual.iec62056 import Iec62056Spec, VirtualIEC62056
from tests.support.beds import Bed, Cable

# Blocks and their checks as pwitab/iec62056-21 has them in its tests (tests/test_data.py).
BLOCKS = [
    (b'\x023:14(314*kWh)4:15(415*kWh)\r\n!\r\n\x03"', b"3:14(314*kWh)4:15(415*kWh)\r\n!\r\n"),
    (b"\x023:171.0(0)\x03\x12", b"3:171.0(0)"),
]
# Codes with and without what is understood, a line with two registers, another channel, a stored
# value, a register without a unit and one in MWh: IEC 62056-21 §6.5 and IEC 62056-61.
TEXT = (
    b"0-0:C.1.0*255(12345678)\r\n1-0:1.8.0*255(0000321.456*kWh)\r\n"
    b"1-0:1.8.0*01(0000300.000*kWh)\r\n1-0:1.8.1(0.2*MWh)1-0:1.8.2(121456)\r\n"
    b"2-0:1.8.0*255(0000999.999*kWh)\r\n1-0:1.7.0*255(01.234*kW)\r\n1-0:32.7.0(230.4*V)\r\n0-0:F.F.0*255(0000000)\r\n!\r\n"
)
CODES = ("1.8.0", "1.8.1", "1.8.2", "1.7.0", "32.7.0", "1-0:1.8.0*01", "2.8.0")
ANSWERS = (321.456, 200.0, 121_456.0, 1234.0, 230.4, 300.0, None)

MUTANTS = [
    ('"1.8.0": Known("import_energy"', '"1.8.0": Known("export_energy"'),
    ('Known("import_power", "W"', 'Known("import_power", "kW"'),
    ("{12 + 20 * n}.7.0", "{11 + 20 * n}.7.1"),
    ('removesuffix("*255")', 'removesuffix("*01")'),
    ('rpartition(":")[2]', 'rpartition(":")[0]'),
    ("told.setdefault(form,", "told.__setitem__(form,"),
    ('FATAL: Final = ("F.F"', 'FATAL: Final = ("F.E"'),
    ('.strip("0")', '.strip("01")'),
    ("SerialLine(300)", "SerialLine(9600)"),
    ("Kind.COUNTER if total", "Kind.GAUGE if total"),
    ("options.readout_s * 1000", "options.readout_s * 100"),
    ("2 * self._period_ms", "9 * self._period_ms"),
    ("Quality.FAULT if value is None", "Quality.OK if value is None"),
    ("self._text, self._newest_ms = text, now_ms", "self._text = text"),
]
OF_READING = [
    ('STX, ETX = b"\\x02", b"\\x03"', 'STX, ETX = b"\\x03", b"\\x02"'),
    ("reduce(xor, text) == check", "reduce(xor, text[:-1]) == check"),
    ("reduce(xor, text) == check", "sum(text) & 0x7F == check"),
    ("DAMAGED not in text", "text"),
    ("300 << n", "300 << n + 1"),
    ("600 << n", "300 << n"),
    (r"/?!\r\n", r"/?\r\n"),
    ("\\x060%c0", "\\x061%c0"),
    ("if baud <= self._limit()", "if baud < self._limit()"),
    ("self._retune(SWITCHED[code])", "self._retune(9600)"),
    ("self._retune(self._first_baud)\n        self._port", "self._port"),
    ("now_ms + REACTION_MS\n            return", "now_ms\n            return"),
    ("with_parity(SIGN_ON)", "SIGN_ON"),
    ("+ self._period_ms, now_ms)", "+ 2 * self._period_ms, now_ms)"),
    ("now_ms + self._again_ms", "now_ms + self._period_ms"),
]


class Listening(VirtualIEC62056):
    """A meter that notes what it heard, when, and at which speed it stood then."""

    def __init__(self, bed: Bed, **spec: object) -> None:
        super().__init__(Iec62056Spec("s", **spec), bed.truth, bed.now_ns)  # type: ignore[arg-type]
        self.told: list[tuple[int, bytes]] = []
        self.raw = b""

    def hear(self, data: bytes, now_ns: int) -> bytes:
        self.told.append((now_ns // 1_000_000, without_parity(data)))
        self.raw += data
        return super().hear(data, now_ns)


def read_out(
    module: ModuleType, seconds: int = 40, **spec: object
) -> tuple[Listening, list[bytes]]:
    """Return a meter that was read out for so long, and the texts that it gave."""
    bed = Bed()
    meter = Listening(bed, **spec)
    wire = Cable(bed, meter, SerialLine(300))
    reader = module.Reader(wire, 20_000, 10_000, 9600)
    texts = []
    for _ in range(10 * seconds):
        bed.sleep(0.1)
        wire.stirs()
        text = reader.feed(bed.now_ms)
        texts += [text] if text else []
    return meter, texts


def reading_holds(module: ModuleType) -> bool:
    """Whether blocks are cut, and meters of all modes read out, as they must be."""
    for sent, text in BLOCKS:
        cutter = module.Blocks()
        if cutter.cut(with_parity(b"0)\r\n!\x03x" + sent)) != [text]:
            return False
    damaged = bytearray(with_parity(BLOCKS[0][0]))
    damaged[3] ^= 1
    damaged[7] ^= 1  # both are "1": the block check alone would not know
    if module.Blocks().cut(bytes(damaged)):
        return False
    meter, texts = read_out(module)
    asked = [text for _, text in meter.told]
    after = meter.told[1][0] - meter.told[0][0]
    fast, fast_texts = read_out(module, proposes=19_200)
    slow, slow_texts = read_out(module, proposes=600, seconds=30)
    plain, plain_texts = read_out(module, mode="A", seconds=60)
    return bool(
        len(texts) == 2
        and asked == [b"/?!\r\n", b"\x06050\r\n"] * 2
        and meter.raw.startswith(with_parity(b"/?!\r\n"))
        and 1300 <= after <= 1500  # 0.25 s, 18 characters at 300 baud, and 0.2 to 0.3 s
        and meter.told[2][0] - meter.told[0][0] == 20_000
        and [text for _, text in fast.told][1] == b"\x06050\r\n"
        and len(fast_texts) == 2
        and [text for _, text in slow.told][1] == b"\x06010\r\n"
        and len(slow_texts) >= 1
        and [text for _, text in plain.told] == [b"/?!\r\n"] * len(plain.told)
        and len(plain_texts) >= 2
        and module.UNASKED[ord("A")] == 600
        and module.SWITCHED[ord("6")] == 19_200
        and _again_ms(module) == [0, 14_100]
    )


def _again_ms(module: ModuleType) -> list[int]:
    """Return when a meter that never answers is asked, from the first time on."""
    bed = Bed()
    meter = Listening(bed)
    meter.act("hang", 0)
    wire = Cable(bed, meter, SerialLine(300))
    reader = module.Reader(wire, 20_000, 10_000, 9600)
    for _ in range(200):
        bed.sleep(0.1)
        reader.feed(bed.now_ms)
    times = [at_ms for at_ms, _ in meter.told]
    return [round((at_ms - times[0]) / 100) * 100 for at_ms in times]


def answers_hold(module: ModuleType) -> bool:
    """Whether the driver makes of a readout what is known, and tells how old it is."""
    try:
        return _answers_hold(module) and _ages_hold(module)
    except (EdgenodeError, LookupError, ValueError):
        return False


def _answers_hold(module: ModuleType) -> bool:
    registers = tuple(
        module.Register(
            code,
            name="" if code in module.KNOWN else "before",
            unit="" if code in module.KNOWN else "kWh",
        )
        for code in CODES
    )
    options = module.IEC62056Options(registers=registers)
    sample = module.decode(TEXT, options)
    broken = module.decode(TEXT + b"0-0:F.F*255(00000001)\r\n", options)
    wrong = module.decode(TEXT.replace(b"230.4*V", b"230.4*A"), options)
    named = {channel.name: channel for channel in module.IEC62056.declare(options)}
    return bool(
        sample.values == ANSWERS
        and sample.quality == (*(Quality.OK,) * 6, Quality.MISSING)
        and set(broken.quality) == {Quality.FAULT}
        and (wrong.values[4], wrong.quality[4]) == (None, Quality.FAULT)
        and named["import_energy"].kind.name == "COUNTER"
        and named["import_power"].unit == "W"
        and named["voltage_l1"].unit == "V"
    )


def _ages_hold(module: ModuleType) -> bool:
    """Whether a readout is good for its period, then stale, then nothing."""
    bed = Bed()
    wire = Cable(bed, Listening(bed, proposes=300), module.IEC62056.line)
    sensor = module.IEC62056(wire, module.IEC62056Options())
    for _ in range(150):  # a readout of ten seconds
        bed.sleep(0.1)
        wire.stirs()
        sensor.feed(bed.now_ms)
    wire.instrument.act("hang", bed.now_ns)
    age = sensor.read(bed.now_ms + 410_000)
    late = sensor.read(bed.now_ms + 421_000)
    try:
        sensor.read(bed.now_ms + 721_000)
    except EdgenodeError:
        return (age.quality, late.quality) == ((Quality.OK,), (Quality.STALE,))
    return False
