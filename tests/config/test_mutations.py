"""Whatever is done to a file: it loads, or every mistake lies on a line that it has."""

import re
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from edgenode.config import Config, parse
from edgenode.errors import ConfigError

TEXT = (Path(__file__).parents[2] / "deploy" / "edgenode.toml").read_text(encoding="utf-8")
LINES = TEXT.splitlines()
KEYS = sorted(set(re.findall(r"^([a-z_]+) =", TEXT, re.MULTILINE)))
HEADS = sorted({line for line in LINES if line.startswith("[")})
VALUES = ["0", "-1", "1e300", "nan", "true", '""', '"x"', "[]", "{}", "[[1]]", "1979-05-27", "0x7f"]
PLACED = re.compile(r"n\.toml:(\d+)(:\d+)?: .+", re.DOTALL)

numbers = st.integers(0, len(LINES) - 1)
keys = st.sampled_from([*KEYS, "channel", "a.b", '"q k"', "driver", "calibration"])
strange = st.one_of(
    st.builds("{} = {}".format, keys, st.sampled_from(VALUES)),
    st.builds("{} = {{ {} = {} }}".format, keys, keys, st.sampled_from(VALUES)),
    st.sampled_from([*HEADS, "[sensor.channel]", "[[sensor.channel]]", "[bus]", "[x.y]"]),
    st.text(max_size=12),
)
steps = st.lists(
    st.tuples(st.sampled_from(["drop", "double", "swap", "put"]), numbers, numbers, strange),
    min_size=1,
    max_size=6,
)


def mutated(steps: list[tuple[str, int, int, str]]) -> str:
    lines = list(LINES)
    for what, at, other, text in steps:
        if what == "drop":
            del lines[min(at, len(lines) - 1)]
        elif what == "double":
            lines.insert(min(other, len(lines)), lines[min(at, len(lines) - 1)])
        elif what == "swap":
            lines[min(at, len(lines) - 1)] = LINES[other]
        else:
            lines.insert(min(at, len(lines)), text)
    return "\n".join(lines)


def judged(text: str) -> Config | list[str]:
    try:
        return parse(text, "n.toml")
    except ConfigError as exc:
        return exc.problems


@settings(max_examples=300, deadline=None)
@given(steps)
def test_a_changed_file_loads_or_says_where_its_mistakes_are(
    steps: list[tuple[str, int, int, str]],
) -> None:
    text = mutated(steps)
    found = judged(text)
    if isinstance(found, list):
        assert found
        for problem in found:
            match = PLACED.fullmatch(problem)
            assert match, problem
            assert 1 <= int(match[1]) <= text.count("\n") + 1
            assert "Error" not in problem
    else:
        assert all(PLACED.fullmatch(warning) for warning in found.warnings)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_refused_with_a_line(text: str) -> None:
    found = judged(text)
    assert isinstance(found, list)
    assert all(PLACED.fullmatch(problem) for problem in found)
