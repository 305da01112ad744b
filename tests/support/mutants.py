"""A module with one place of its source changed, which its tests must notice."""

from __future__ import annotations

import inspect
import sys
from types import ModuleType


def mutated(module: ModuleType, old: str, new: str) -> ModuleType:
    """Return `module` with the first `old` in its source replaced by `new`.

    Fails where its source has no `old`: a mutant that changes nothing proves nothing. What the
    module imports stays as it is. The mutant stands in `sys.modules` until the next one, since
    dataclasses and msgspec look annotations up there.
    """
    source = inspect.getsource(module)
    assert old in source, f"{module.__name__} no longer contains {old!r}"
    mutant = ModuleType("mutant", module.__doc__)
    mutant.__package__ = module.__package__
    mutant.__file__ = module.__file__
    sys.modules["mutant"] = mutant
    code = compile(source.replace(old, new, 1), "mutant", "exec")
    exec(code, mutant.__dict__)  # noqa: S102 - our own source
    return mutant
