"""Every make of broker, started once, with its stories told beside those of the others.

What takes time is waiting: for the elections of a cluster, for Erlang to start, for patience to
end. So all makes run at a time, each in its thread, and the tests judge what came of it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from edgenode.cityos import acks, link
from tests.brokers.sites import SITES
from tests.brokers.stories import STORIES, past
from tests.support.running import Running

TELLING_S = 110.0  # less than a test may take

Key = tuple[str, str]  # make, story


@pytest.fixture(autouse=True)
def _let_go() -> None:
    """Spools are opened beside the tests, and closed by their stories."""


@pytest.fixture(scope="module")
def _quick() -> Iterator[None]:
    """Let the city ask for gaps, give up waiting for amqtt's CONNACK, and come back sooner."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(acks, "PATIENCE_MS", 1_000)
        patch.setattr(link, "CONNACK_S", 1.0)
        patch.setattr(link, "BACKOFF_MAX_S", 0.5)
        yield


class Teller:
    """Runs the stories that the chosen tests ask for, those of one make one after the other."""

    def __init__(self, wanted: set[Key], directory: Path) -> None:
        self._told: dict[Key, Future[Any]] = {key: Future() for key in wanted}
        self._directory = directory
        self._past: Running | None = None
        self._lock = threading.Lock()

    def run(self, make: str) -> None:
        """Start a make, tell its stories, end it."""
        mine = {story: told for (name, story), told in self._told.items() if name == make}
        site = SITES[make](self._directory / make)
        try:
            with site.running:
                site.start()
                for story in (story for story in STORIES if story in mine):
                    site.usable()
                    self._tell(site, story, mine[story])
        except BaseException as exc:  # noqa: BLE001 - whoever waits is to see it
            for told in mine.values():
                if not told.done():
                    told.set_exception(exc)

    def _tell(self, site: Any, story: str, told: Future[Any]) -> None:
        site.said.clear()
        words = (self._before(),) if story == "drain" else ()
        directory = site.directory / story
        directory.mkdir()
        try:
            told.set_result(STORIES[story](site, directory, *words))
        except BaseException as exc:  # noqa: BLE001 - of a thread
            exc.add_note("\n".join(["the receiver said:", *site.said]))
            told.set_exception(exc)

    def _before(self) -> Running:
        with self._lock:
            self._past = self._past or past(self._directory / "past")
            return self._past

    def told(self, make: str, story: str) -> Any:
        """Return what a story returned, or raise what it raised."""
        return self._told[make, story].result(TELLING_S)


@pytest.fixture(scope="module")
def teller(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, _quick: None
) -> Iterator[Teller]:
    wanted = {
        (str(item.callspec.params["make"]), story)
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.path == request.path
        for story in STORIES
        if story in item.fixturenames
    }
    made = Teller(wanted, tmp_path_factory.mktemp("brokers"))
    with ThreadPoolExecutor(len(SITES), "make") as pool:
        for make in SITES:
            if any(name == make for name, _ in wanted):
                pool.submit(made.run, make)
        yield made


def _story(name: str) -> Callable[..., Any]:
    @pytest.fixture(name=name)
    def fixture(teller: Teller, make: str) -> Any:
        return teller.told(make, name)

    return fixture


late, strangers, trespass, drain = map(_story, STORIES)
