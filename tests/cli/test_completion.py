"""Completion, as a real bash does it; and that the scripts of the others are whole."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from edgenode.cli import VERBS, main
from edgenode.cli.grammar import Grammar, grammars
from edgenode.cli.shells import SCRIPTS
from tests.support.documents import Played

GRAMMARS = list(grammars())
ASK = """
source "$1"
COMP_WORDS=("${@:2}")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_edgenode
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bash") / "edgenode"
    path.write_text(SCRIPTS["bash"](GRAMMARS))
    return path


def completed(script: Path, *words: str, path: str = "/usr/bin:/bin") -> list[str]:
    done = subprocess.run(
        ["bash", "--norc", "-c", ASK, "bash", str(script), "edgenode", *words],
        capture_output=True, text=True, check=True, env={"PATH": path}, timeout=20,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout.split()


def test_bash_takes_the_script_and_completes_edgenode_with_it(script: Path) -> None:
    done = subprocess.run(
        ["bash", "--norc", "-c", 'source "$1" && complete -p edgenode', "bash", str(script)],
        capture_output=True, text=True, check=True, timeout=20,
    )  # fmt: skip
    assert done.stdout == "complete -o default -F _edgenode edgenode\n"


def test_the_verb_prints_the_script(capsys: pytest.CaptureFixture[str], script: Path) -> None:
    assert main(["completion", "bash"]) == 0
    assert capsys.readouterr().out == script.read_text()


def test_verbs_are_completed(script: Path) -> None:
    assert set(completed(script, "")) == {*VERBS, "--help", "--version"}
    assert completed(script, "sta") == ["status"]


@pytest.mark.parametrize("grammar", GRAMMARS, ids=lambda grammar: " ".join(grammar.path))
def test_every_option_of_every_verb_is_completed(grammar: Grammar, script: Path) -> None:
    names = {name for option in grammar.options for name in option.names}
    assert set(completed(script, *grammar.path, "-")) == names


def test_sub_verbs_and_fixed_words_are_completed(script: Path) -> None:
    assert {"receive", "audit"} <= set(completed(script, "cityos", ""))
    assert completed(script, "cityos", "receive", "--sil") == ["--silence"]
    assert completed(script, "maintenance", "o") == ["on", "off"]


def test_a_value_is_not_completed_as_an_option_and_files_are_left_to_the_shell(
    script: Path,
) -> None:
    assert completed(script, "status", "--socket", "-") == []
    assert completed(script, "decode", "") == []


def test_sensors_and_channels_are_asked_of_the_daemon(
    script: Path, daemon: Played, tmp_path: Path
) -> None:
    command = tmp_path / "edgenode"
    command.write_text(
        f'#!/bin/sh\nexec {sys.executable} -m edgenode "$@" --socket {daemon.path}\n'
    )
    command.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}/usr/bin{os.pathsep}/bin"
    assert completed(script, "read", "", path=path) == ["air"]
    assert completed(script, "why", "air/t", path=path) == ["air/temperature"]


def test_without_a_daemon_no_names_are_known_and_nothing_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["completion", "sensors", "--socket", str(tmp_path / "none")]) == 1
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "")


def test_zsh_gets_the_same_by_way_of_bash_and_no_variable_that_it_reserves() -> None:
    script = SCRIPTS["zsh"](GRAMMARS)
    assert script.startswith("#compdef edgenode\n")
    assert "bashcompinit" in script
    assert script.endswith(SCRIPTS["bash"](GRAMMARS))
    assert "local path" not in script, "path is PATH in zsh"


def test_fish_names_every_verb_and_every_option() -> None:
    script = SCRIPTS["fish"](GRAMMARS)
    for verb in VERBS:
        assert f"-n __fish_use_subcommand -a {verb} " in script
    for grammar in GRAMMARS:
        for option in grammar.options:
            for name in option.names:
                flag = f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}"
                assert flag in script
    assert all(line.count("'") % 2 == 0 for line in script.replace("\\'", "").splitlines())


@pytest.mark.parametrize("verb", ["bundle", "check", "run"])
def test_fish_completes_the_configuration_as_a_file(verb: str) -> None:
    option = f"complete -c edgenode -n '__fish_seen_subcommand_from {verb}' -l config -r -F "
    assert option in SCRIPTS["fish"](GRAMMARS)
