"""How spans, sizes, times and tables read, and what a terminal never sees."""

import pytest

from edgenode.cli.asking import harmless
from edgenode.cli.spans import seconds
from edgenode.cli.words import many, number, size, span, table, when


def test_what_a_terminal_would_obey_is_not_printed() -> None:
    assert harmless("a\x1b[2Jb\tc\x07") == "a?[2Jb?c?"
    assert harmless("덕수궁 21.5 °C") == "덕수궁 21.5 °C"


@pytest.mark.parametrize(
    ("text", "found"), [("90s", 90), ("5min", 300), ("2 h", 7200), ("3d", 259_200), ("1m", 60)]
)
def test_spans_are_read_as_people_write_them(text: str, found: int) -> None:
    assert seconds(text) == found


@pytest.mark.parametrize("text", ["", "5", "h", "-1h", "1.5h", "0s", "999999999d", "1h30min"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(Exception, match="span"):
        seconds(text)


def test_numbers_sizes_times_and_tables_read_well() -> None:
    assert [span(s) for s in (0, 59, 3600, 277_200)] == ["0 s", "59 s", "1 h", "3 d 5 h"]
    assert [number(21.5, -2), number(3, 2), number(None)] == ["21.50", "3", "-"]
    assert [number(-0.2), number(-0.04, -1)] == ["0", "0.0"], "a zero has no sign"
    assert [size(n) for n in (0, 999, 1_000, 5e9)] == ["0 B", "999 B", "1.0 kB", "5.0 GB"]
    assert [many(1, "batch"), many(2, "batch"), many(0, "start")] == [
        "1 batch",
        "2 batches",
        "0 starts",
    ]
    assert when(None) == "at an unknown time"
    assert list(table([("a", "1"), ("bbb", "22")], right=(1,))) == ["a     1", "bbb  22"]
    assert list(table([])) == []
