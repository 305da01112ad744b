"""docs/configuration.md says of every key what it is for, and is as the code is."""

from pathlib import Path

import msgspec
import pytest

from edgenode.config.check import fields_of
from edgenode.config.describe import purpose, shape
from edgenode.config.model import FileTable
from edgenode.config.reference import main, reference, renewed
from edgenode.driver import loadable

DOCUMENT = Path(__file__).parents[2] / "docs" / "configuration.md"


def without_purpose(struct: type[msgspec.Struct], name: str) -> list[str]:
    """Every key of a table, and of tables in it, of which nothing says what it is for."""
    found = []
    for field in fields_of(struct).values():
        inner = shape(field.type).struct
        if inner:
            found += without_purpose(inner, f"{name}.{field.name}")
        elif not purpose(field):
            found.append(f"{name}.{field.name}")
    return found


def test_every_key_of_every_table_says_what_it_is_for() -> None:
    assert without_purpose(FileTable, "") == []


def test_every_option_of_every_driver_says_what_it_is_for() -> None:
    assert [key for name, d in loadable().items() for key in without_purpose(d.options, name)] == []


def test_the_document_is_as_the_code_is() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert text == renewed(text), "run: python -m edgenode.config.reference docs/configuration.md"


def test_every_table_and_driver_has_a_heading() -> None:
    text = reference()
    for head in ("[node]", "[[uplink.broker]]", "[bus.clear]", "[bus.power]", "[lamp]"):
        assert f"### `{head}`\n" in text
    assert "### `[sensor.channel.QUANTITY.calibration]`\n" in text
    assert all(f'### `driver = "{name}"`\n' in text for name in loadable())


def test_what_is_written_by_hand_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "configuration.md"
    mark = "<!-- Below this line everything is made by `python -m edgenode.config.reference`. -->"
    path.write_text(f"By hand.\n\n{mark}\n\nold\n", encoding="utf-8")
    assert main([str(path)]) == 0
    assert main([]) == 0
    assert path.read_text(encoding="utf-8") == f"By hand.\n\n{mark}\n\n{capsys.readouterr().out}"


def test_a_document_without_the_mark_is_left_alone() -> None:
    with pytest.raises(ValueError, match="there is no line"):
        renewed("By hand.")
