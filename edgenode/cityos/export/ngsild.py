"""NGSI-LD (ETSI GS CIM 009 V1.9.1): newest values by batch upsert, older ones to their evolution.

A context broker does not compare `observedAt`; so an attribute is sent only where it is newer than
what was sent before, and what came late goes to the temporal interface. At least once: a crash
between the broker's answer and our commit sends the same values again, which changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from edgenode.cityos.export import models
from edgenode.cityos.export.entities import SAID, Entity, Mapper, Observed, value_of
from edgenode.cityos.export.state import Newest, Refused, State
from edgenode.cityos.export.web import Answer, Client, Refusal, taken
from edgenode.cityos.outbox import Reading

MEDIA: Final = "application/ld+json"  # entities of several models need a @context each
UPSERT: Final = "/ngsi-ld/v1/entityOperations/upsert?options=update"
TEMPORAL: Final = "/ngsi-ld/v1/temporal/entities"
MAX_ENTITIES: Final = 100  # in one upsert
MAX_INSTANCES: Final = 500  # of attributes in one temporal request


@dataclass(slots=True)
class Draft:
    """What is to be said of one entity: the newest of each attribute, and what is older."""

    entity: Entity
    fresh: dict[str, tuple[Observed, Newest]] = field(default_factory=dict)
    older: list[tuple[str, dict[str, Any]]] = field(default_factory=list)


class NgsiLd:
    """Sends readings to one context broker."""

    def __init__(
        self,
        client: Client,
        mapper: Mapper,
        state: State,
        now_ms: Callable[[], int],
        *,
        context: Sequence[str] = (),
        temporal: bool = True,
    ) -> None:
        self._client = client
        self._mapper = mapper
        self._state = state
        self._now_ms = now_ms
        self._context = list(context)
        self._temporal = temporal

    def send(self, readings: Sequence[Reading]) -> None:
        """Hand readings over; on return the broker has them, or they are kept aside.

        Raises Halted, or CityError of the sink; then all may be sent again.
        """
        drafts = self._drafts(list(self._mapper.observe(readings)))
        fresh = [draft for draft in drafts if draft.fresh]
        for at in range(0, len(fresh), MAX_ENTITIES):
            self._upsert(fresh[at : at + MAX_ENTITIES])
        if self._temporal:
            for draft in drafts:
                # A broker that took the newest does not fail at everything.
                self._evolve(draft, suspect=bool(fresh))

    def _drafts(self, observed: list[Observed]) -> list[Draft]:
        """Sort observations by entity and time against what was sent before."""
        known = self._state.newest(one.entity.id for one in observed)
        drafts: dict[str, Draft] = {}
        for one in sorted(observed, key=lambda one: one.utc_ms):  # the newest says who measures
            drafts[one.entity.id] = Draft(one.entity)
        for (name, attribute), series in _series(observed).items():
            draft = drafts[name]
            before = known.get((name, attribute))
            older = sorted(series.items())
            fresh = _fresh(older[-1], before)
            if fresh is not None:
                draft.fresh[attribute] = older.pop()[1][0], fresh
            draft.older += [
                (attribute, _value(at_once))
                for utc_ms, at_once in older
                if attribute not in SAID and (before is None or utc_ms != before.utc_ms)
            ]
        return list(drafts.values())

    def _upsert(self, drafts: list[Draft]) -> None:
        for sent, answer in taken(drafts, self._asked, self._refused_draft):
            faults = _faults(answer.body) if answer.status == 207 else {}
            for draft in sent:
                if draft.entity.id in faults:
                    self._refused_draft(draft, faults[draft.entity.id])
            self._state.sent(
                (draft.entity.id, attribute, newest)
                for draft in sent
                if draft.entity.id not in faults
                for attribute, (_, newest) in draft.fresh.items()
            )

    def _asked(self, drafts: list[Draft]) -> Answer:
        body = [self._newest(draft) for draft in drafts]
        return self._client.ask("POST", UPSERT, body, media=MEDIA, suspect=True)

    def _newest(self, draft: Draft) -> dict[str, Any]:
        return self._document(draft.entity) | _latest(draft)

    def _refused_draft(self, draft: Draft, reason: str) -> None:
        self._refused(draft.entity, reason, self._newest(draft))

    def _evolve(self, draft: Draft, *, suspect: bool) -> None:
        """Add what is older to the temporal evolution of its entity, in bounded requests."""
        left = iter(draft.older)
        while instances := list(islice(left, MAX_INSTANCES)):
            body = self._document(draft.entity, fixed=False)
            for attribute, value in instances:
                body.setdefault(attribute, []).append(value)
            try:
                self._client.ask("POST", TEMPORAL, body, media=MEDIA, suspect=suspect)
            except Refusal as refusal:
                self._refused(draft.entity, str(refusal), body)

    def _document(self, entity: Entity, *, fixed: bool = True) -> dict[str, Any]:
        context = self._context or [models.MODELS[entity.model].context, models.CORE]
        found = {"id": entity.id, "type": entity.model, "@context": context}
        return {**found, **self._mapper.fixed(entity)} if fixed else found

    def _refused(self, entity: Entity, reason: str, body: dict[str, Any]) -> None:
        kept = Refused(self._now_ms(), entity.id, reason, json.dumps(body))
        self._state.aside(entity.node, kept)


def _series(
    observed: list[Observed],
) -> dict[tuple[str, str], dict[int, list[Observed]]]:
    """Sort observations by entity, attribute and moment; those of one moment are its phases."""
    found: dict[tuple[str, str], dict[int, list[Observed]]] = {}
    for one in observed:
        moments = found.setdefault((one.entity.id, one.attribute), {})
        at_once = moments.setdefault(one.utc_ms, [])
        if one.member not in {other.member for other in at_once}:
            at_once.append(one)
    return found


def _fresh(moment: tuple[int, list[Observed]], before: Newest | None) -> Newest | None:
    """Return what the newest moment makes of an attribute; None where it is no news."""
    utc_ms, at_once = moment
    members: dict[str, Any] = {one.member: one.value for one in at_once if one.member}
    if before is None or utc_ms > before.utc_ms:
        return Newest(utc_ms, members)
    together = {**before.members, **members}  # other phases of the same moment may come later
    more = utc_ms == before.utc_ms and together != before.members
    return Newest(utc_ms, together) if more else None


def _value(at_once: list[Observed]) -> dict[str, Any]:
    """Return one moment of an attribute; of phases the first that is doubted gives the quality."""
    doubted = next((one for one in at_once if one.quality not in {"", "ok"}), at_once[0])
    members: dict[str, Any] = {one.member: one.value for one in at_once if one.member}
    return value_of(doubted, members)


def _latest(draft: Draft) -> dict[str, Any]:
    return {
        attribute: value_of(one, newest.members) for attribute, (one, newest) in draft.fresh.items()
    }


def _faults(body: Any) -> dict[str, str]:
    """Return why entities were not taken, by id (BatchOperationResult, clause 5.2.16)."""
    errors = body.get("errors") if isinstance(body, dict) else None
    return dict(_fault(error) for error in errors or () if isinstance(error, dict))


def _fault(error: dict[str, Any]) -> tuple[str, str]:
    details = error.get("error")
    if isinstance(details, dict):
        words = [str(details[key]) for key in ("title", "detail") if details.get(key)]
        return str(error.get("entityId", "")), ": ".join(words) or json.dumps(details)
    return str(error.get("entityId", "")), str(details)
