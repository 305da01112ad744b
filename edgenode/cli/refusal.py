"""What was refused at the last start: a node.json that could not be taken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

PLACE = "/run/edgenode-provision/refused.json"
ADVICE = "a corrected node.json on the boot partition, then a new start; see docs/provisioning.md"


def refusal() -> dict[str, Any]:
    """Return the field `refused` of docs/cli.md, an empty document where nothing was refused."""
    import json  # noqa: PLC0415 - `--help` shall not pay for it

    try:
        with open(PLACE, encoding="utf-8") as file:  # noqa: PTH123 - pathlib costs
            found = json.load(file)
        return {"refused": {"head": str(found["head"]), "problems": list(found["problems"])}}
    except (OSError, ValueError, TypeError, KeyError):
        return {}


def lines(document: dict[str, Any]) -> Iterator[str]:
    """Yield it in plain words."""
    refused = document.get("refused")
    if refused:
        yield f"  ! {refused['head']}"
        for problem in refused["problems"]:
            yield f"    - {problem}"
        yield f"    do: {ADVICE}"
