"""Completion scripts, generated from what the parsers take."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from edgenode.cli import VERBS
from edgenode.cli.grammar import Argument, Grammar

Grammars = Sequence[Grammar]

BASH = """\
# bash completion for edgenode; source it, or put it where bash-completion looks.
_edgenode() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "@VERBS@ --help --version" -- "$cur"))
    return
  fi
  local at=${COMP_WORDS[1]}
  case "$at ${COMP_WORDS[2]}" in
@SUBVERBS@
  esac
  case "$at $prev" in
@VALUES@
  esac
  if [ "${cur:0:1}" = - ]; then
    case "$at" in
@OPTIONS@
    esac
    return
  fi
  case "$at" in
@PLACES@
  esac
}
complete -o default -F _edgenode edgenode
"""

ZSH = """\
#compdef edgenode
# zsh completion for edgenode, by way of its bash completion.
autoload -Uz bashcompinit && bashcompinit
"""

FISH_HEAD = """\
# fish completion for edgenode.
complete -c edgenode -f
"""


def bash(grammars: Grammars) -> str:
    """Return the script for bash."""
    parts = {
        "@VERBS@": " ".join(VERBS),
        "@SUBVERBS@": "\n".join(_subverbs(grammars)),
        "@VALUES@": "\n".join(_values(grammars)),
        "@OPTIONS@": "\n".join(_options(grammars)),
        "@PLACES@": "\n".join(_places(grammars)),
    }
    script = BASH
    for mark, lines in parts.items():
        script = script.replace(mark, lines or ":")
    return script


def zsh(grammars: Grammars) -> str:
    """Return the script for zsh."""
    return ZSH + bash(grammars)


def fish(grammars: Grammars) -> str:
    """Return the script for fish."""
    lines = [
        f"complete -c edgenode -n __fish_use_subcommand -a {verb} -d {_quoted(row.does)}"
        for verb, row in VERBS.items()
    ]
    for grammar in grammars:
        seen = f"'__fish_seen_subcommand_from {' '.join(grammar.path[-1:])}'"
        for option in grammar.options:
            names = " ".join(
                f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}"
                for name in option.names
            )
            value = "" if option.value is None else f" -r{_fish_words(option.value)}"
            lines.append(f"complete -c edgenode -n {seen} {names}{value} -d {_quoted(option.does)}")
        for place in grammar.places:
            words = _fish_words(place)
            if words:
                lines.append(f"complete -c edgenode -n {seen}{words}")
    return FISH_HEAD + "\n".join(lines) + "\n"


def _fish_words(argument: Argument) -> str:
    if argument.asked:
        return f" -a '(edgenode completion {argument.asked} 2>/dev/null)'"
    if argument.files or argument.directories:
        return " -F"
    return f" -a {_quoted(' '.join(argument.words))}" if argument.words else ""


def _quoted(text: str) -> str:
    """Return the text as one word of a shell."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", " ") + "'"


def _subverbs(grammars: Grammars) -> Iterator[str]:
    for grammar in grammars:
        if len(grammar.path) == 2:
            verb, sub = grammar.path
            yield f'    "{verb} {sub}") at="{verb} {sub}" ;;'


def _values(grammars: Grammars) -> Iterator[str]:
    """Yield what follows an option that takes a value."""
    for grammar in grammars:
        for option in grammar.options:
            if option.value is not None:
                cases = "|".join(f'"{" ".join(grammar.path)} {name}"' for name in option.names)
                yield f"    {cases}) {_replies(option.value) or ':'}; return ;;"


def _options(grammars: Grammars) -> Iterator[str]:
    for grammar in grammars:
        names = " ".join(name for option in grammar.options for name in option.names)
        reply = _compgen(f'-W "{names}"')
        yield f'      "{" ".join(grammar.path)}") {reply} ;;'


def _places(grammars: Grammars) -> Iterator[str]:
    for grammar in grammars:
        replies = [reply for place in grammar.places if (reply := _replies(place))]
        if replies:
            yield f'    "{" ".join(grammar.path)}") {"; ".join(replies)} ;;'


def _replies(argument: Argument) -> str:
    """Return what completes it; nothing for files, which the shell itself completes then."""
    if argument.asked:
        return _compgen(f'-W "$(edgenode completion {argument.asked} 2>/dev/null)"')
    return _compgen(f'-W "{" ".join(argument.words)}"') if argument.words else ""


def _compgen(what: str) -> str:
    return f'COMPREPLY+=($(compgen {what} -- "$cur"))'


SCRIPTS: Mapping[str, Callable[[Grammars], str]] = {"bash": bash, "zsh": zsh, "fish": fish}
