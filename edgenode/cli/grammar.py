"""What the command line takes, read from the parsers themselves: for completion and the docs."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from importlib import import_module
from typing import NamedTuple

from edgenode.cli import VERBS

FILES = ("FILE", "PATH", "IMAGE", "DEVICE")
DIRECTORIES = ("DIRECTORY",)
ASKED = {"SENSOR": "sensors", "CHANNEL": "channels"}  # names only the daemon knows


class Argument(NamedTuple):
    """What may stand at one place: fixed words, files, directories, or names of the daemon."""

    words: tuple[str, ...] = ()
    files: bool = False
    directories: bool = False
    asked: str = ""
    name: str = ""  # what help texts call it, such as FILE


class Option(NamedTuple):
    """An option with all its spellings; `value` is None where it takes none."""

    names: tuple[str, ...]
    value: Argument | None
    does: str


class Grammar(NamedTuple):
    """What a verb, or a verb and a sub-verb, takes."""

    path: tuple[str, ...]
    options: tuple[Option, ...]
    places: tuple[Argument, ...]  # positional arguments, in order
    does: str = ""  # of a sub-verb; a verb's own is in VERBS


def grammars() -> Iterator[Grammar]:
    """Yield the grammar of every verb and sub-verb; loads every verb."""
    for verb, row in VERBS.items():
        parser = argparse.ArgumentParser(prog=f"edgenode {verb}")
        import_module(row.module).register(parser)
        yield from _grammars((verb,), parser)


def _grammars(
    path: tuple[str, ...], parser: argparse.ArgumentParser, does: str = ""
) -> Iterator[Grammar]:
    options, places = [], []
    subs: dict[str, argparse.ArgumentParser] = {}
    helps: dict[str, str] = {}
    for action in parser._actions:  # noqa: SLF001 - argparse has no public way to list them
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - the same
            subs = dict(action.choices)
            helps = {row.dest: row.help or "" for row in action._choices_actions}  # noqa: SLF001
            places.append(Argument(tuple(subs)))
        elif action.option_strings:
            value = None if action.nargs == 0 else _argument(action)
            options.append(Option(tuple(action.option_strings), value, action.help or ""))
        else:
            places.append(_argument(action))
    yield Grammar(path, tuple(options), tuple(places), does)
    for name, sub in subs.items():
        yield from _grammars((*path, name), sub, helps.get(name, ""))


def _argument(action: argparse.Action) -> Argument:
    metavar = action.metavar if isinstance(action.metavar, str) else ""
    return Argument(
        tuple(map(str, action.choices or ())),
        files=metavar in FILES,
        directories=metavar in DIRECTORIES,
        asked=ASKED.get(metavar, ""),
        name=metavar or action.dest.upper().replace("_", "-"),
    )
