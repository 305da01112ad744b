"""Messages that must be refused, and a part of the sentence that says why: form and fields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from edgenode.wire import Birth
from tests.wire.vectors.births import NODE, SPOOL
from tests.wire.vectors.others import batch_map, birth_map
from tests.wire.vectors.raw import Pairs, Raw, written


class Refused(NamedTuple):
    """A message that must be refused by `decode`, or by `expand` where it has a birth."""

    name: str
    data: bytes
    says: str
    birth: Birth | None = None
    version: bool = False


def of_form() -> Iterator[Refused]:
    """Yield what is wrong as CBOR, before anything is known of its meaning."""
    good = written(batch_map())
    yield Refused("nothing at all", b"", "a message is a CBOR map")
    yield Refused("an array", written([0, 1]), "a message is a CBOR map")
    yield Refused("a tagged message (COSE_Sign1)", b"\xd2" + good, "a message is a CBOR map")
    yield Refused("a tagged message (COSE_Mac0)", b"\xd1" + good, "a message is a CBOR map")
    yield Refused("trailing byte", good + b"\x00", "trailing bytes")
    yield Refused("cut in the last item", good[:-1], "ends in the middle")
    yield Refused("cut after a key", good[:2], "more items than bytes")
    version_two = written({0: 2, 8: []})
    yield Refused("version 2", version_two, "version", version=True)
    yield Refused("version 2, not of this form", version_two + b"\x00", "version", version=True)
    yield Refused("version 300", written({0: 300, 8: []}), "version", version=True)
    yield Refused("version 0", written({0: 0, 8: []}), "version", version=True)
    yield Refused("version true", written(batch_map(k0=True)), "key 0 (version)")
    yield Refused("version missing", written(batch_map(k0=...)), "key 0 (version): it is missing")
    repeated = Pairs((*batch_map().items(), (14, SPOOL)))
    yield Refused("a key twice", written(repeated), "repeats the key before")
    unsorted = Pairs(tuple(reversed(batch_map().items())))
    yield Refused("keys out of order", written(unsorted), "sorts below the key before")
    inner = Pairs(((1, 0), (1, 0)))
    yield Refused("a key twice inside an unknown value", written(batch_map(k99=inner)), "repeats")
    deep: Any = 0
    for _ in range(16):
        deep = [deep]
    yield Refused("nesting of 17", written(batch_map(k99=deep)), "nesting deeper than 16")
    for name, fault, says in _bad_items():
        yield Refused(name, written(batch_map(k99=Raw(bytes.fromhex(fault)))), says)


def _bad_items() -> Iterator[tuple[str, str, str]]:
    yield "indefinite array", "9f00ff", "an indefinite or reserved length"
    yield "indefinite map", "bfff", "an indefinite or reserved length"
    yield "indefinite byte string", "5f4100ff", "an indefinite or reserved length"
    yield "indefinite text", "7f6161ff", "an indefinite or reserved length"
    yield "reserved length", "1c", "an indefinite or reserved length"
    yield "integer in two bytes instead of one", "1817", "not in its shortest form"
    yield "integer in three bytes instead of two", "1900ff", "not in its shortest form"
    yield "integer in five bytes instead of three", "1a0000ffff", "not in its shortest form"
    yield "integer in nine bytes instead of five", "1b00000000ffffffff", "not in its shortest form"
    yield "negative integer in two bytes instead of one", "3800", "not in its shortest form"
    yield "integer inside an array in two bytes instead of one", "811817", "shortest form"
    yield "length in two bytes instead of one", "580100", "not in its shortest form"
    yield "array length in three bytes instead of one", "99000100", "not in its shortest form"
    yield "float in nine bytes instead of three", "fb3ff8000000000000", "not in its shortest form"
    yield "float in nine bytes instead of five", "fb40f86a0800000000", "not in its shortest form"
    yield "float in five bytes instead of three", "fa3fc00000", "not in its shortest form"
    yield "NaN", "f97e00", "NaN or infinity"
    yield "infinity", "f97c00", "NaN or infinity"
    yield "minus infinity in nine bytes", "fbfff0000000000000", "NaN or infinity"
    yield "tag 0, a date", "c074323032362d31312d32335430393a30303a30305a", "a tag at byte"
    yield "tag 2, a large integer", "c249010000000000000000", "a tag at byte"
    yield "tag 24, embedded CBOR", "d8184100", "a tag at byte"
    yield "undefined", "f7", "simple value"
    yield "simple value 16", "f0", "simple value"
    yield "simple value 32", "f820", "simple value"
    yield "a break with nothing to end", "ff", "simple value"
    yield "text that is not UTF-8", "61ff", "not UTF-8"
    yield "text with half a surrogate pair", "63eda080", "not UTF-8"
    yield "a key that is a byte string", "a1410000", "neither an integer nor text"
    yield "a key that is a float", "a1f93c0000", "neither an integer nor text"
    yield "an array longer than the message", "9b000fffffffffffff", "more items than bytes follow"
    yield "a map longer than the message", "ba7fffffff", "more items than bytes follow"
    yield "a byte string longer than the message", "5b7fffffffffffffff", "ends in the middle"


def of_fields() -> Iterator[Refused]:
    """Yield what is wrong in a single field of a batch."""
    two_kinds = batch_map(k40=True)
    yield Refused("two kinds at once", written(two_kinds), "exactly one of the keys")
    yield Refused("no kind", written(batch_map(k8=...)), "exactly one of the keys")
    for key in (1, 2, 3, 4, 5, 6, 7, 14):
        data = written({k: v for k, v in batch_map().items() if k != key})
        yield Refused(f"key {key} missing", data, "it is missing")
    for name, changes, says in _bad_fields():
        yield Refused(name, written(batch_map(**changes)), says)


def _bad_fields() -> Iterator[tuple[str, dict[str, Any], str]]:
    yield "node of 3 bytes", {"k1": b"123"}, "key 1 (node)"
    yield "node of 17 bytes", {"k1": bytes(17)}, "key 1 (node)"
    yield "node as text", {"k1": "02004c4f5801"}, "key 1 (node)"
    yield "epoch negative", {"k2": -1}, "key 2 (epoch)"
    yield "epoch beyond 2^53", {"k2": 2**53}, "key 2 (epoch)"
    yield "epoch true", {"k2": True}, "key 2 (epoch)"
    yield "seq 0", {"k3": 0}, "key 3 (seq)"
    yield "r0 a float", {"k4": 1.0}, "key 4 (r0)"
    yield "schema of 7 bytes", {"k5": bytes(7)}, "key 5 (schema)"
    yield "tb null", {"k6": None}, "key 6 (tb)"
    yield "spool of 9 bytes", {"k14": bytes(9)}, "key 14 (spool)"
    yield "anchors null", {"k7": None}, "key 7 (anchors)"
    yield "anchor of three", {"k7": [[0, 0, 3]]}, "key 7 (anchors)"
    yield "anchors that do not ascend", {"k7": [[5, 0, 3, 0], [4, 0, 3, 0]]}, "ascend"
    yield "two anchors of one moment", {"k7": [[5, 0, 3, 0], [5, 0, 3, 0]]}, "ascend"
    yield "anchor with negative error", {"k7": [[5, 0, 3, -1]]}, "key 7 (anchors)"
    yield "groups a map", {"k8": {}}, "key 8 (groups)"
    yield "events empty", {"k9": []}, "key 9 (events)"
    yield "event of two", {"k9": [[0, None]]}, "key 9 (events)"
    yield "event code negative", {"k9": [[0, None, -1]]}, "key 9 (events) code"
    yield "event channel beyond the last gid", {"k9": [[0, 2**24, 1]]}, "events) channel"
    yield "event value is text", {"k9": [[0, None, 1, "x"]]}, "events) value"
    yield "event value is an empty array", {"k9": [[0, None, 1, []]]}, "events) value"
    yield "event value is an array of floats", {"k9": [[0, None, 1, [1.5]]]}, "events) value"
    yield "event value beyond 2^53", {"k9": [[0, None, 1, 2**53]]}, "events) value"
    yield "event quality 14", {"k9": [[0, None, 1, None, 14]]}, "14 and 15 are never assigned"
    yield "event quality 256", {"k9": [[0, None, 1, None, 256]]}, "events) quality"
    late = {"k6": 2**53 - 1, "k9": [[1, None, 1]]}
    yield "event stamp beyond 2^53", late, "events) stamp"
    yield "stream 0 spelt out", {"k10": 0}, "is the default and is left out"
    yield "stream 16", {"k10": 16}, "key 10 (stream)"
    yield "privacy 0 spelt out", {"k11": 0}, "is the default and is left out"
    yield "privacy negative", {"k11": -1}, "key 11 (privacy)"
    yield "losses empty", {"k12": []}, "key 12 (losses)"
    yield "65 losses", {"k12": [[0, at, 1, 0, 0, 0] for at in range(65)]}, "1 to 64"
    yield "loss of five", {"k12": [[0, 1, 1, 0, 0]]}, "key 12 (losses)"
    yield "loss of another stream", {"k12": [[1, 1, 1, 0, 0, 0]]}, "a loss of stream 1"
    yield "loss beyond the last ordinal", {"k12": [[0, 2**53 - 1, 1, 0, 0, 0]]}, "last ordinal"
    yield "loss beyond the last seq", {"k12": [[0, 0, 1, 0, 2**53 - 1, 1]]}, "last seq"
    yield "loss reason negative", {"k12": [[0, 0, 1, -1, 0, 0]]}, "key 12 (losses)"
    yield "lowest seq held null", {"k13": None}, "key 13 (lowest seq held)"
    yield "previous epoch of three", {"k15": [1, 1, 1]}, "key 15 (previous epoch)"
    yield "previous epoch is this one", {"k15": [3, 1, 1, 1]}, "is not before 3"


def of_other_kinds() -> Iterator[Refused]:
    """Yield births, about messages, states and acks with one fault each."""
    channel = {0: "a/b", 1: "1", 2: 0, 3: 0}
    birth = birth_map({0: [channel]})
    yield Refused(
        "schema is not the hash", written(birth | {5: bytes(8)}), "not the hash of key 20"
    )
    yield Refused("birth without node", written({k: birth[k] for k in (0, 5, 20)}), "key 1 (node)")
    for name, groups, says in _bad_groups(channel):
        yield Refused(f"birth: {name}", written(birth_map(groups)), says)
    about: dict[int, Any] = {0: 1, 1: NODE, 21: {}}
    for name, changes, says in (
        ("site an array", {21: []}, "key 21"),
        ("site with a number as key", {21: {1: 1}}, "key 21"),
        ("transparency a number", {22: {"purpose": 1}}, "key 22"),
        ("firmware a number", {23: 1}, "key 23"),
        ("hardware null", {24: None}, "key 24"),
        ("commission null", {25: None}, "key 25"),
        ("commission a map", {25: {}}, "key 25"),
        ("commission of 4097 bytes", {25: "é" * 2048 + "x"}, "4096 are allowed"),
    ):
        yield Refused(f"about: {name}", written(about | changes), says)
    state: dict[int, Any] = {0: 1, 1: NODE, 14: SPOOL, 40: True, 41: [3, 9]}
    for name, fields, says in (
        ("online is 1", {40: 1}, "state key 40"),
        ("connect of one", {41: [3]}, "state key 41"),
        ("connect negative", {41: [3, -9]}, "state key 41"),
        ("spool as text", {14: "12345678"}, "state key 14"),
    ):
        yield Refused(f"state: {name}", written(state | fields), says)
    ack = {0: 1, 1: NODE, 14: SPOOL, 30: {}}
    for name, changes, says in _bad_acks():
        yield Refused(f"ack: {name}", written(ack | changes), says)


def _bad_groups(channel: dict[int, Any]) -> Iterator[tuple[str, Any, str]]:
    yield "no group", {}, "without a group"
    yield "groups in an array", [[channel]], "key 20: "
    yield "group without channels", {0: []}, "1 to 255"
    many = [channel | {0: f"a/{at}"} for at in range(256)]
    yield "group of 256 channels", {0: many}, "1 to 255"
    yield "gid 65536", {65536: [channel]}, "gid"
    yield "gid negative", {-1: [channel]}, "gid"
    yield "channel an array", {0: [[1]]}, "is not a map"
    yield "channel twice", {0: [channel], 1: [channel]}, "is there twice"
    for key in range(4):
        rest = {k: v for k, v in channel.items() if k != key}
        yield f"channel without key {key}", {0: [rest]}, "it is missing"
    for name, changes, says in (
        ("name without a quantity", {0: "temperature"}, "<sensor>/<quantity>"),
        ("name that begins with a dot", {0: ".a/b"}, "<sensor>/<quantity>"),
        ("name with a blank", {0: "a b/c"}, "<sensor>/<quantity>"),
        ("name with a line feed", {0: "a/b\n"}, "<sensor>/<quantity>"),
        ("unit a number", {1: 1}, "(unit)"),
        ("scale 19", {2: 19}, "(scale)"),
        ("scale -19", {2: -19}, "(scale)"),
        ("kind 3", {3: 3}, "(kind)"),
        ("kind 5", {3: 5}, "(kind)"),
        ("float channel with a scale", {2: -1, 3: 4}, "has scale 0"),
        ("range of one", {5: [1]}, "(range)"),
        ("range upside down", {5: [2, 1]}, "above the maximum"),
        ("range beyond 2^50", {5: [0, 2**50]}, "(range)"),
        ("period negative", {6: -1}, "key 6"),
        ("model null", {7: None}, "key 7"),
        ("calibration of one", {9: ["2026-01-01"]}, "(calibration)"),
        ("uncertainty a float", {10: 0.5}, "key 10"),
        ("privacy 0 spelt out", {11: 0}, "is the default and is left out"),
        ("modulus 0", {12: 0}, "key 12"),
        ("stamp tolerance negative", {13: -1}, "key 13"),
    ):
        yield name, {0: [channel | changes]}, says


def _bad_acks() -> Iterator[tuple[str, dict[int, Any], str]]:
    yield "ranges an array", {30: []}, "ack key 30"
    yield "stream without ranges", {30: {0: []}}, "ack stream 0"
    yield "stream 16", {30: {16: [[1, 1]]}}, "ack key 30: stream"
    yield "stream as text", {30: {"0": [[1, 1]]}}, "ack key 30: stream"
    yield "range backwards", {30: {0: [[2, 1]]}}, "runs backwards"
    yield "range from 0", {30: {0: [[0, 1]]}}, "ack stream 0"
    yield "ranges that overlap", {30: {0: [[1, 3], [3, 4]]}}, "be disjoint"
    yield "ranges out of order", {30: {0: [[5, 6], [1, 2]]}}, "must ascend"
    yield "range beyond 2^53", {30: {0: [[1, 2**53]]}}, "ack stream 0"
    yield "resend empty", {31: []}, "ack key 31"
    yield "resend of two", {31: [[0, 1]]}, "ack key 31"
    yield "resend backwards", {31: [[0, 2, 1]]}, "runs backwards"
    yield "time a float", {32: 1.5}, "ack key 32"
    yield "births empty", {33: []}, "ack key 33"
    yield "birth of 4 bytes", {33: [b"1234"]}, "ack key 33"
