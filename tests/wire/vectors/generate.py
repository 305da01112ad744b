"""Write valid.json and refused.json; see README.md for when, which is hardly ever."""

from __future__ import annotations

import json
from itertools import chain
from pathlib import Path
from typing import Any

from edgenode.wire import Birth, encode
from tests.wire.vectors import column_faults, faults
from tests.wire.vectors.meaning import meaning
from tests.wire.vectors.others import of_others
from tests.wire.vectors.valid import of_the_encoder

HERE = Path(__file__).parent


def valid() -> list[dict[str, Any]]:
    """Return the messages that must be read."""
    return [
        {
            "name": case.name,
            "birth": _birth(case.birth),
            "data": case.data.hex(),
            "meaning": meaning(case.means),
        }
        for case in chain(of_the_encoder(), of_others())
    ]


def refused() -> list[dict[str, Any]]:
    """Return the messages that must be refused."""
    cases = chain(
        faults.of_form(),
        faults.of_fields(),
        faults.of_other_kinds(),
        column_faults.of_groups(),
        column_faults.of_births(),
    )
    return [
        {
            "name": case.name,
            "at": "expand" if case.birth else "decode",
            "birth": _birth(case.birth),
            "data": case.data.hex(),
            "says": case.says,
            "version": case.version,
        }
        for case in cases
    ]


def _birth(birth: Birth | None) -> str | None:
    return None if birth is None else encode(birth).hex()


def main() -> None:
    for name, cases in {"valid": valid(), "refused": refused()}.items():
        lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
        (HERE / f"{name}.json").write_text(f"[\n{lines}\n]\n", encoding="ascii")


if __name__ == "__main__":
    main()
