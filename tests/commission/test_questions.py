"""At most three questions, each with a default and a flag; nobody is asked where nobody listens."""

from __future__ import annotations

import argparse
import io
import sys

import pytest

from edgenode.cli import questions
from edgenode.commission.evidence import Answers


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    questions.register(parser)
    return parser.parse_args(words)


def answered(
    monkeypatch: pytest.MonkeyPatch, typed: str, *words: str, lamp: bool = True
) -> Answers:
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    return questions.asked(parsed(*words), lamp=lamp)


def test_three_answers_are_taken_from_who_stands_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = answered(monkeypatch, "yes\nB-17\nphoto 12\n")
    assert found == Answers("B-17", "photo 12", "yes")
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("[") == 3


def test_empty_lines_and_the_end_of_input_are_the_defaults(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert answered(monkeypatch, "\n\n\n") == Answers("", "", "unseen")
    assert answered(monkeypatch, "") == Answers("", "", "unseen")


def test_a_flag_answers_its_question(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = answered(monkeypatch, "", "--installer", "B", "--mounting", "12", "--lamp", "no")
    assert found == Answers("B", "12", "no")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("word", ["--unattended", "--json"])
def test_unattended_nobody_is_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], word: str
) -> None:
    assert answered(monkeypatch, "yes\nB\n12\n", word) == Answers("", "", "unseen")
    assert capsys.readouterr().err == ""


def test_a_node_without_a_lamp_is_not_asked_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert answered(monkeypatch, "B\n12\n", lamp=False) == Answers("B", "12", "")


def test_what_cannot_be_an_answer_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    typed = f"perhaps\nn\n{'x' * 81}\nB-17\n\n"
    assert answered(monkeypatch, typed) == Answers("B-17", "", "no")


def test_a_flag_that_is_too_long_or_not_printable_is_refused() -> None:
    for text in ("x" * 81, "a\nb"):
        with pytest.raises(SystemExit):
            parsed("--installer", text)
