"""Every key of a file is found on the line on which it stands."""

import pytest

from edgenode.config.lines import Lines

TEXT = '''\
a = """
[no.table]
b = 1
"""  # not a key
"quoted key" = { "x.y" = 1, z = [1, 2] }
list = [
  1,  # one
  { in = 2 },
]
[t."u v"]
w.x = 'a # b'
[[rows]]
n = 1
[rows.sub]
k = 1
[[rows]]
n = 2
[[rows.sub]]
k = 1
[[rows.sub]]
k = 2
'''


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (("a",), 1),
        (("quoted key",), 5),
        (("quoted key", "x.y"), 5),
        (("quoted key", "z", 1), 5),
        (("list",), 6),
        (("list", 1, "in"), 8),
        (("t", "u v"), 10),
        (("t", "u v", "w", "x"), 11),
        (("rows", 0, "n"), 13),
        (("rows", 0, "sub", "k"), 15),
        (("rows", 1, "n"), 17),
        (("rows", 1, "sub", 0, "k"), 19),
        (("rows", 1, "sub", 1, "k"), 21),
    ],
)
def test_a_key_is_found_where_it_stands(place: tuple[str | int, ...], line: int) -> None:
    assert Lines(TEXT).of(place) == line


def test_what_stands_nowhere_is_at_the_table_around_it() -> None:
    lines = Lines(TEXT)
    assert lines.of(("rows", 1, "missing")) == 16
    assert lines.of(("nowhere", "at", "all")) == 1


def test_other_ends_of_lines_than_the_line_feed_do_not_count() -> None:
    assert Lines("a = '\u2028\x85'\r\nb = 1\r\n").of(("b",)) == 2
