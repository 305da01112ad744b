from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from edgenode.control import Control, verbs_of
from tests.support.serving import Serve


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    started: list[Control] = []

    def start(**answers: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> Path:
        path = tmp_path / "s"
        control = Control(path, verbs_of(answers))
        control.start()
        started.append(control)
        return path

    yield start
    for control in started:
        control.close()
