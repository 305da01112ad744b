"""Answers for the control socket. Its threads ask; what changes the node the main thread does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from edgenode.control.requests import Answer
from edgenode.health import Watch
from edgenode.metrics import metrics_of, openmetrics
from edgenode.node import answers
from edgenode.node.answers import View
from edgenode.node.chronicle import ENTRIES, Chronicle
from edgenode.node.disclosing import disclosed
from edgenode.node.documents import FORMAT, Document, budget_of, maintenance_of, status
from edgenode.node.lastresort import LastResort
from edgenode.node.reload import Reloaded
from edgenode.node.rooms import Rooms
from edgenode.node.visit import Visits
from edgenode.reading import Stream

CHANGE_S: Final = 9.0  # below the ten seconds that the socket waits for a slow verb
QUICK_S: Final = 0.8  # below the second that it gives any other

Arguments = Mapping[str, Any]


class Chief(Protocol):
    """Who changes the node: the daemon, on its main thread."""

    def ask(self, work: Callable[[], Any], timeout_s: float) -> Any:
        """Do it on the main thread and return what came of it; raises NodeError."""
        ...

    def reload(self) -> Reloaded:
        """Take up what changed in the file."""
        ...


class Office:
    """Knows where to look; every method may be called from any thread."""

    def __init__(
        self,
        rooms: Rooms,
        watch: Watch,
        chronicle: Chronicle,
        visits: Visits,
        resort: LastResort,
        chief: Chief,
    ) -> None:
        self._rooms, self._watch, self._chronicle = rooms, watch, chronicle
        self._visits, self._resort, self._chief = visits, resort, chief

    def answers(self) -> dict[str, Answer]:
        """Return what answers each verb of docs/cli.md."""
        return {
            "status": lambda _: self._status(self._view()),
            "sensors": lambda _: answers.sensors(self._view()),
            "read": lambda given: answers.read(self._view(), given["sensor"]),
            "why": self._why,
            "disclose": lambda _: self._disclose(),
            "history": self._history,
            "maintenance": self._maintenance,
            "reload": lambda _: self._reload(),
            "metrics": lambda _: self._metrics(),
            "mark": lambda _: self._mark(),
            "custody": self._custody,
        }

    def _view(self) -> View:
        rooms = self._rooms
        channels = {c.name: c for group in rooms.groups.values() for c in group.channels}
        return View(rooms.config, channels, rooms.buses.workers, rooms.picture())

    def _status(self, view: View) -> Document:
        return status(
            view.config.node.id,
            view.picture,
            self._watch.verdict,
            self._chronicle.since(view.now),
            maintenance=maintenance_of(self._visits.now(), view.picture),
            budget=budget_of(view.config.budget, view.picture),
            restarts=self._chronicle.restarts(),
            recovery=self._resort.used(),
        )

    def _why(self, given: Arguments) -> Document:
        view = self._view()
        working = maintenance_of(self._visits.now(), view.picture)
        return answers.why(view, given["channel"], self._chronicle, working)

    def _history(self, given: Arguments) -> Document:
        view = self._view()
        limit, since = given.get("limit", ENTRIES), given.get("since_utc_ms", 0)
        return {
            "format": FORMAT,
            "utc_ms": view.picture.utc_ms,
            "kept_from_utc_ms": self._chronicle.kept_from_utc_ms(),
            "entries": self._chronicle.entries(since, limit),
        }

    def _maintenance(self, given: Arguments) -> Document:
        minutes, why = given["minutes"], given.get("why", "")
        change = (lambda: self._visits.begin(minutes, why)) if minutes else self._visits.end
        self._chief.ask(change, QUICK_S)
        picture = self._rooms.picture()
        return {
            "format": FORMAT,
            "utc_ms": picture.utc_ms,
            "maintenance": maintenance_of(self._visits.now(), picture),
        }

    def _reload(self) -> Document:
        found: Reloaded = self._chief.ask(self._chief.reload, CHANGE_S)
        return {
            "format": FORMAT,
            "changed": list(found.changed),
            "problems": list(found.problems),
        }

    def _mark(self) -> Document:
        seq = self._rooms.mark()
        return {"format": FORMAT, "stream": int(Stream.EVENTS), "seq": seq}

    def _custody(self, given: Arguments) -> Document:
        return {"format": FORMAT, "reached": self._rooms.reached(given["stream"], given["seq"])}

    def _disclose(self) -> Document:
        return disclosed(self._rooms.config, utc_ms=self._rooms.picture().vouched_utc_ms)

    def _metrics(self) -> Document:
        view = self._view()
        text = openmetrics(metrics_of(self._status(view), answers.sensors(view)))
        return {"format": FORMAT, "text": text}
