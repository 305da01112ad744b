"""The canonical form is that of RFC 8785; only JSON that all readers understand alike is read."""

from __future__ import annotations

import struct

import pytest

from edgenode.errors import ProvisionError
from edgenode.provision.canonical import MAX_BYTES, MAX_DEPTH, MAX_VALUES, canonical
from tests.support.nodejson import problems

# RFC 8785, appendix B: IEEE 754 doubles as big-endian hex, and how they are written.
NUMBERS = [
    ("0000000000000000", "0"),
    ("8000000000000000", "0"),
    ("0000000000000001", "5e-324"),
    ("8000000000000001", "-5e-324"),
    ("7fefffffffffffff", "1.7976931348623157e+308"),
    ("ffefffffffffffff", "-1.7976931348623157e+308"),
    ("4340000000000000", "9007199254740992"),
    ("c340000000000000", "-9007199254740992"),
    ("4430000000000000", "295147905179352830000"),
    ("44b52d02c7e14af5", "9.999999999999997e+22"),
    ("44b52d02c7e14af6", "1e+23"),
    ("44b52d02c7e14af7", "1.0000000000000001e+23"),
    ("444b1ae4d6e2ef4e", "999999999999999700000"),
    ("444b1ae4d6e2ef4f", "999999999999999900000"),
    ("444b1ae4d6e2ef50", "1e+21"),
    ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
    ("3eb0c6f7a0b5ed8d", "0.000001"),
    ("41b3de4355555553", "333333333.3333332"),
    ("41b3de4355555554", "333333333.33333325"),
    ("41b3de4355555555", "333333333.3333333"),
    ("41b3de4355555556", "333333333.3333334"),
    ("41b3de4355555557", "333333333.33333343"),
    ("becbf647612f3696", "-0.0000033333333333333333"),
    ("43143ff3c1cb0959", "1424953923781206.2"),
]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"\xff", "not UTF-8 text: invalid start byte at byte 0"),
        (b"", "line 1, column 1: not JSON"),
        (b'{\n"a": 1,}', "line 2, column 8: not JSON"),
        (b"[1]", "a node.json is one object"),
        (b'{"serial": 1, "serial": 2}', "serial: stands there twice"),
        (b'{"node": {"id": "a", "\\u0069d": "b"}}', "node.id: stands there twice"),
        (b'{"serial": NaN}', "serial: expected a finite number"),
        (b'{"serial": -Infinity}', "serial: expected a finite number"),
        (b'{"serial": 1e999}', "serial: expected a finite number"),
        (b'{"serial": 9007199254740992}', "serial: expected a whole number within 2^53"),
        (b'{"serial": ' + b"9" * 5000 + b"}", "serial: expected a finite number within 2^53"),
        (b'{"site": {"name": null}}', "site.name: null is no value here"),
        (b'{"site": {"name": "\\ud800"}}', "site.name: half of a surrogate pair"),
        (b'{"\\ud800": 1}', "has a member whose name is no text"),
        (b'{"a":' * 500 + b"1" + b"}" * 500, f"more than {MAX_DEPTH} objects and lists"),
        (b"[" * MAX_BYTES, f"more than {MAX_DEPTH} objects and lists"),
        (b'{"a":[' + b"0," * MAX_VALUES + b"0]}", f"more than {MAX_VALUES} values"),
        (b'{"a": "' + b"x" * MAX_BYTES + b'"}', f"longer than {MAX_BYTES} bytes"),
    ],
)
def test_what_not_every_reader_understands_alike_is_refused(data: bytes, sentence: str) -> None:
    assert any(sentence in problem for problem in problems(data))


@pytest.mark.parametrize(("bits", "shown"), NUMBERS)
def test_numbers_are_written_as_rfc_8785_lists_them(bits: str, shown: str) -> None:
    number = struct.unpack(">d", bytes.fromhex(bits))[0]
    assert canonical({"": number}) == b'{"":' + shown.encode() + b"}"


def test_members_are_sorted_and_texts_escaped_as_in_rfc_8785() -> None:
    # RFC 8785, 3.2.3 (names sorted by UTF-16 code units) and 3.2.2 (literals and texts).
    names = {
        "\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh",
        "1": "One", "\U0001f600": "Emoji: Grinning Face", "\u0080": "Control",
        "\u00f6": "Latin Small Letter O With Diaeresis",
    }  # fmt: skip
    order = ["\\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
    shown = canonical(names).decode()
    assert [shown.index(f'"{name}":') for name in order] == sorted(
        shown.index(f'"{name}":') for name in order
    )
    mixed = {"s": '\u20ac$\u000f\nA\'B"\\\\"/', "l": [None, True, False]}
    assert canonical(mixed).decode() == (
        '{"l":[null,true,false],"s":"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )


def test_what_has_no_canonical_form_is_refused() -> None:
    for value in (float("nan"), float("inf"), 1 << 53, "\ud800", {1: 2}, {1}):
        with pytest.raises(ProvisionError, match="has no canonical form"):
            canonical({"a": value})
