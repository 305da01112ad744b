"""The proofs of all drivers, a module for each family; see tests/support/proofs.py."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from tests.support.proofs import Proof


def all_proofs() -> dict[str, Proof]:
    """Return the proofs of all modules here by the driver's name."""
    found: dict[str, Proof] = {}
    for name in sorted(module.name for module in iter_modules(__path__)):
        for proof in import_module(f"{__name__}.{name}").PROOFS:
            assert proof.driver not in found, f"two proofs of {proof.driver}"
            found[proof.driver] = proof
    return found
