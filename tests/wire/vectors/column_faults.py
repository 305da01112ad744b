"""Messages that must be refused for their groups, and for what fits no birth."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from edgenode.wire import Birth
from tests.wire.vectors import births
from tests.wire.vectors.faults import Refused
from tests.wire.vectors.others import batch_map
from tests.wire.vectors.raw import bits, written

TOP = 2**50 - 1
FIVE = "000100 1010"  # L = 4, zigzag(5) = 10
ESCAPE = "1" * 16


def of_groups() -> Iterator[Refused]:
    """Yield groups that are refused whatever the birth says."""
    for name, group, says in _bad_groups():
        yield Refused(f"group: {name}", written(batch_map(k8=[group])), says)
    half = [[0, 0, 1, 4096, b"\x00"]] * 17
    yield Refused("groups: more rows than the work limit", written(batch_map(k8=half)), "65536")


def _bad_groups() -> Iterator[tuple[str, Any, str]]:
    good: list[Any] = [0, 0, 1000, 2, [[1, 1], None, None]]
    yield "of four elements", good[:4], "group 0: array: 4 elements"
    yield "gid 65536", [65536, *good[1:]], "gid"
    yield "t0 negative", [0, -1, *good[2:]], "t0"
    yield "period null", [0, 0, None, *good[3:]], "period"
    yield "no row", [0, 0, 1, 0, [[], None, None]], "rows"
    yield "4097 rows", [0, 0, 1, 4097, b"\x00"], "rows"
    yield "columns null", [0, 0, 1, 1, None], "columns"
    yield "no column", [0, 0, 1, 1, []], "columns"
    yield "256 columns", [0, 0, 1, 1, [None] * 256], "columns"
    yield "column too short", [0, 0, 1, 2, [[1]]], "column: 1 elements"
    yield "column too long", [0, 0, 1, 1, [[1, 1]]], "column: 2 elements"
    yield "column of integers and floats", [0, 0, 1, 2, [[1, 1.5]]], "floats of a float channel"
    yield "column with null inside", [0, 0, 1, 2, [[1, None]]], "not 2 integers"
    yield "plain value of 2^50", [0, 0, 1, 1, [[2**50]]], "beyond 2^50"
    yield "plain deltas that reach -2^50", [0, 0, 1, 2, [[-TOP, -1]]], "beyond 2^50"
    yield "tres text", [*good, "x"], "tres"
    yield "tres too short", [*good, [0]], "tres"
    yield "tres of floats", [*good, [0.0, 0.5]], "tres"
    yield "flags empty", [*good, None, []], "flags"
    yield "flags null", [*good, None, None], "flags"
    yield "flag of three", [*good, None, [[0, 0, 1]]], "flags"
    yield "flag of column 256", [*good, None, [[256, 0, 1, 4]]], "flags column"
    yield "flag of no row", [*good, None, [[0, 0, 0, 4]]], "flags length"
    yield "flag beyond the rows", [*good, None, [[0, 1, 2, 4]]], "runs beyond row 2"
    yield "flag ok spelt out", [*good, None, [[0, 0, 1, 0]]], "is the default and is left out"
    yield "flag quality 15", [*good, None, [[0, 0, 1, 15]]], "never assigned"
    yield "flag quality 256", [*good, None, [[0, 0, 1, 256]]], "flags quality"


def of_births() -> Iterator[Refused]:
    """Yield batches that decode and are refused with their birth at hand."""
    data = written(batch_map(births.ONE))
    yield Refused("another birth", data, "not of the batch's schema", births.CITY)
    for name, changes, says in _bad_batches():
        yield Refused(name, written(batch_map(**changes)), says, births.CITY)
    schema = births.BROAD
    wide = [[0, 0, 1, 258, bits("111" * 255)]]
    work = written(batch_map(schema, k8=wide))
    yield Refused("work limit, absent columns counted", work, "65790 cells", births.BROAD)
    edge = [[0, 0, 1, 257, bits("111" * 255)]]
    event = written(batch_map(schema, k8=edge, k9=[[0, None, 1]] * 2))
    yield Refused("work limit, events counted", event, "65537 cells", births.BROAD)
    for name, n, digits, says in _bad_columns():
        group = [0, 0, 1, n, bits(digits)]
        yield _of_one(name, group, says)
    yield _of_one("columns: no bits at all", [0, 0, 1, 1, b""], "ends in the middle")
    yield _of_one(
        "columns: a byte too many", [0, 0, 1, 1, bits(f"000 {FIVE}") + b"\xff"], "left over"
    )
    for name, tres, says in _bad_tres():
        yield _of_one(name, [0, 0, 10, 3, [[1, 0, 0]], tres], says)


def _of_one(name: str, group: Any, says: str, birth: Birth = births.ONE) -> Refused:
    return Refused(name, written(batch_map(birth, k8=[group])), says, birth)


def _bad_batches() -> Iterator[tuple[str, dict[str, Any], str]]:
    row: list[Any] = [[1], None, None]
    yield "gid that the birth lacks", {"k8": [[9, 0, 1, 1, [[1]]]]}, "no gid 9"
    yield "event of a gid that the birth lacks", {"k9": [[0, 9 * 256, 1]]}, "of gid 9"
    yield "event of a channel that the birth lacks", {"k9": [[0, 3, 1]]}, "no channel 3"
    yield "too few columns", {"k8": [[0, 0, 1, 1, [[1], None]]]}, "2 columns for the 3"
    yield "too many columns", {"k8": [[0, 0, 1, 1, [*row, None]]]}, "4 columns for the 3"
    floats: list[Any] = [7, 0, 1, 1, bits("111 111")]
    yield "packed group with a float channel", {"k8": [floats]}, "with a float channel"
    yield "integers on a float channel", {"k8": [[7, 0, 1, 1, [[1], None]]]}, "all be float"
    yield "floats on an integer channel", {"k8": [[0, 0, 1, 1, [[1.5], None, None]]]}, "all be int"
    flags: list[Any] = [0, 0, 1, 4, [[1, 1, 1, 1], None, None], None]
    yield "flag of a column beyond the last", {"k8": [[*flags, [[3, 0, 1, 4]]]]}, "names a channel"
    twice = [[0, 0, 2, 4], [0, 1, 1, 5]]
    yield "a cell flagged twice", {"k8": [[*flags, twice]]}, "for the second time"
    both = [[0, 0, 2, 4], [255, 1, 2, 5]]
    yield "a cell flagged alone, then with all", {"k8": [[*flags, both]]}, "for the second time"
    turned = [[255, 1, 2, 5], [0, 0, 2, 4]]
    yield "a cell flagged with all, then alone", {"k8": [[*flags, turned]]}, "for the second time"
    back = [[0, 10, 10, 3, [[1, 0, 0], None, None]], [0, 20, 10, 1, row]]
    yield "a gid that repeats before it ended", {"k8": back}, "begins before"
    yield "rows beyond 2^53 ms", {"k6": 2**53 - 1, "k8": [[0, 1, 0, 1, row]]}, "stamp"
    yield "readings beyond the last ordinal", {"k4": 2**53 - 1, "k9": [[0, None, 1]]}, "key 4 (r0)"


def _bad_columns() -> Iterator[tuple[str, int, str, str]]:
    yield "columns: cut in the length", 1, "000 0001", "ends in the middle"
    yield (
        "columns: cut in a code",
        9,
        f"010 {FIVE} 00011 0 000 0 000 0 000 0 000 0 000 0 00",
        "ends",
    )
    yield "columns: cut in a unary part", 4, f"010 {FIVE} 00000 0 0 1", "ends in the middle"
    yield "columns: a second column", 1, f"000 {FIVE} 000 {FIVE}", "left over"
    yield "columns: padding of zeros", 1, f"000 {FIVE} 000", "left over"
    yield "columns: padding of eight ones", 1, f"000 {FIVE} 111 11111111", "left over"
    yield "columns: a byte of ones after whole bytes", 1, "000 000111 1000000 11111111", "left"
    yield "columns: first value with a top bit of 0", 1, "000 000100 0101", "top bit"
    yield "columns: first value of 54 bits", 1, f"000 110110 1{0:053b}", "54 bits"
    yield "columns: first value of 2^50", 1, f"000 110100 {2**51:052b}", "beyond 2^50"
    yield "columns: first value of -2^50", 1, f"000 110011 {2**51 - 1:051b}", "beyond 2^50"
    yield "columns: residual beyond 2^50", 2, f"010 110011 {2 * TOP:051b} 00000 110", "beyond 2^50"
    escape = f"010 {FIVE} 00000 {ESCAPE}"
    yield "columns: escape with a top bit of 0", 2, f"{escape} 0000101 010000", "top bit"
    yield "columns: escape of what needs none", 2, f"{escape} 0000011 1111", "an escape where 15"
    yield "columns: escape of 0", 2, f"{escape} 0000000 1", "an escape where 1"
    yield "columns: escape of 54 bits", 2, f"{escape} 0110101 1{0:053b}", "54 bits"
    yield "columns: escape of 128 bits", 2, f"{escape} 1111111 1{0:0127b}", "128 bits"
    large = f"010 {FIVE} 00100 {ESCAPE} 0000111 11111111"
    yield "columns: escape below 16 << k", 2, large, "an escape where 255"
    runs = f"101 {FIVE} 00000 00000"
    yield "columns: run beyond the last row", 3, f"{runs} 1110", "beyond the last row"
    yield "columns: second run too long", 4, f"{runs} 10 0 110", "beyond the last row"
    yield "columns: order 2 beyond 2^50", 4, f"011 {FIVE} 00000 {_escaped(2**50)} 0 0", "beyond"
    zero_run = f"100 {FIVE} 00000 00000 0 {_escaped(2**52)}"
    yield "columns: zero-run value beyond 2^50", 2, zero_run, "beyond 2^50"


def _escaped(u: int) -> str:
    return f"{ESCAPE} {u.bit_length() - 1:07b} {u:b}"


def _bad_tres() -> Iterator[tuple[str, Any, str]]:
    yield "tres that begins with 1", [1, 0, 0], "not with 0"
    yield "tres that goes back in time", [0, -11, 0], "go back in time"
    yield "tres packed and absent", bits("111"), "tres is an absent column"
    yield "tres packed that begins with 1", bits("000 000010 10"), "not with 0"
    yield "tres packed with bits left over", bits("000 000000 0"), "left over"
    yield "tres packed and empty", b"", "ends in the middle"
