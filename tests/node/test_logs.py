"""What the daemon logs arrives in the journal with its level, and bounded."""

import io
import logging
from collections.abc import Iterator

import pytest

from edgenode.node.logs import LONGEST, to_journal


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    logger = logging.getLogger()
    handlers, level = list(logger.handlers), logger.level
    yield logger
    logger.handlers, logger.level = handlers, level


def logged(root: logging.Logger, environment: dict[str, str]) -> io.StringIO:
    stream = io.StringIO()
    to_journal(stream, environment)
    assert len(root.handlers) == 1
    return stream


def test_journald_is_told_the_level_of_every_line(root: logging.Logger) -> None:
    stream = logged(root, {"JOURNAL_STREAM": "8:1"})
    for level in (logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL):
        root.log(level, "one\ntwo")
    marks = [line[:3] for line in stream.getvalue().splitlines()]
    assert marks == ["<6>", "<6>", "<4>", "<4>", "<3>", "<3>", "<2>", "<2>"]


def test_a_traceback_keeps_its_level(root: logging.Logger) -> None:
    stream = logged(root, {"JOURNAL_STREAM": "8:1"})
    try:
        int("a defect")
    except ValueError:
        root.exception("it failed")
    lines = stream.getvalue().splitlines()
    assert len(lines) > 3
    assert all(line.startswith("<3>") for line in lines)


def test_a_person_at_a_terminal_reads_the_level_as_a_word(root: logging.Logger) -> None:
    stream = logged(root, {})
    root.warning("look")
    assert stream.getvalue() == "WARNING look\n"


def test_what_comes_from_outside_cannot_fill_the_journal(root: logging.Logger) -> None:
    stream = logged(root, {"JOURNAL_STREAM": "8:1"})
    root.warning("x" * 100_000)
    assert len(stream.getvalue()) < LONGEST + 10


def test_debugging_is_not_for_the_card(root: logging.Logger) -> None:
    stream = logged(root, {})
    root.debug("a detail")
    assert not stream.getvalue()
