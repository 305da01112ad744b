"""The same as a data chain of DTPR, Digital Trust for Places and Routines v1, for machines.

Categories and elements are those of `data/dtpr-device-v1.en.json`; which of them a theme, a
quantity or a part stands for is in `data/dtpr.json`. The shape of the chain is that of DTPR's data
chain instance (github.com/Helpful-Places/dtpr, api/src/schema/datachain-instance.ts).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from edgenode.disclosure.summary import Document, channels, clean, translated
from edgenode.disclosure.words import LANGUAGES, phrases, said_of, table

SCHEMA: Final = "dtpr.v1"
DURATION: Final = "{{duration}}"
Text = dict[str, str]  # by language
Json = dict[str, Any]


class Reason(NamedTuple):
    """Why an element is in the chain: the category it belongs to, and words for people."""

    category: str
    words: Text


def element_ids() -> frozenset[str]:
    """Return the ids of all elements that the device data chain has."""
    return frozenset(row["id"] for row in table("dtpr-device-v1.en")["elements"])


def chain(document: Document) -> Json:
    """Return the data chain of what the document says (see summary.py)."""
    found: dict[str, list[Text]] = {}
    for element, reason in _reasons(document):
        words = found.setdefault(element, [])
        if reason.words and reason.words not in words:
            words.append(reason.words)
    known = table("dtpr-device-v1.en")
    rows = [row for row in _in_order(known) if row["id"] in found]
    utc_ms = document["utc_ms"]
    never = {language: phrases(language)["never"] for language in LANGUAGES}
    return {
        "id": f"edgenode:{document['node']}",
        "title": _localised(_translations(document, document["site"]["name"])),
        "description": _localised(never),
        "datachain_type": table("dtpr")["datachain_type"],
        "schema_version": SCHEMA,
        **({} if utc_ms is None else {"created_at": _iso(utc_ms)}),
        "elements": [
            _element(row, found[row["id"]], document, priority) for priority, row in enumerate(rows)
        ],
        "sources": [known["source"]],
    }


def _in_order(known: Json) -> Iterator[Json]:
    """Yield all elements in the order of their categories."""
    for category in known["categories"]:
        yield from (row for row in known["elements"] if category["id"] in row["category"])


def _reasons(document: Document) -> Iterator[tuple[str, Reason]]:
    """Yield each element that the chain has, as often as there is a reason for it."""
    tables, site = table("dtpr"), document["site"]
    for sensor, channel in channels(document):
        yield from _of_channel(document, sensor, channel)
    if document["sensors"]:
        yield from _listed(tables["always"], {})
    if document["encrypted"]:
        yield from _listed(tables["tls"], {})
    if clean(site["accountable"]):
        yield tables["accountable"], Reason("device__accountable", {})
    if clean(site["retention"]) and "no_data_retained" not in document["dtpr"]:
        yield tables["retained"], Reason("device__retention", {})
    for element in document["dtpr"]:
        yield element, Reason("", {})


def _of_channel(document: Document, sensor: Json, channel: Json) -> Iterator[tuple[str, Reason]]:
    """Yield the elements of one channel: a quantity goes before its part, a part before a theme."""
    quantity, model = channel["quantity"], sensor["model"]
    said = said_of(quantity, model, channel["unit"], channel["observed"])
    tables = table("dtpr")
    rows = (
        tables["themes"][said.theme],
        tables["models"].get(model, {}),
        tables["quantities"].get(f"{model}/{quantity}", tables["quantities"].get(quantity, {})),
        tables["household"] if sensor["household"] else {},
    )
    merged: dict[str, list[str]] = {}
    for row in rows:
        merged.update(row)
    why = _translations(document, channel["purpose"])
    for category, elements in merged.items():
        words = why if category == "device__purpose" else dict(said.words)
        yield from _listed({category: elements}, words)


def _listed(row: Json, words: Text) -> Iterator[tuple[str, Reason]]:
    for category, elements in row.items():
        for element in elements:
            yield element, Reason(category, words)


def _element(row: Json, reasons: list[Text], document: Document, priority: int) -> Json:
    site, category = document["site"], row["category"][0]
    variables = {"additional_description": {n: _joined(reasons, n) for n in LANGUAGES}}
    actions: list[Json] = []
    if category == "device__accountable":
        variables = {"name": _translations(document, site["accountable"])}
        variables["additional_description"] = _translations(document, site["contact"])
        actions = list(_actions(document))
    elif category == "device__access":
        variables = {"additional_description": _translations(document, site["access"])}
    elif DURATION in row["name"]:
        variables = {"duration": _translations(document, site["retention"])}
    return {
        "element_id": row["id"],
        "category_id": category,
        "priority": priority,
        "title": _localised(_title(row, variables.get("duration", {}))),
        "variables": [
            {"id": name, "value": _localised(words)}
            for name, words in variables.items()
            if any(words.values())
        ],
        "actions": actions,
    }


def _title(row: Json, duration: Text) -> Text:
    english = row["name"].strip()
    names = {"en": english, "ko": table("dtpr")["ko"].get(row["id"], english)}
    return {n: name.replace(DURATION, duration.get(n, "")).strip() for n, name in names.items()}


def _actions(document: Document) -> Iterator[Json]:
    labels = {language: phrases(language)["more"] for language in LANGUAGES}
    if document["site"]["url"]:
        yield {"type": "url", "label": _localised(labels), "target": document["site"]["url"]}


def _joined(reasons: list[Text], language: str) -> str:
    return "; ".join(dict.fromkeys(words[language] for words in reasons))


def _translations(document: Document, text: str) -> Text:
    return {language: translated(document, text, language) for language in LANGUAGES}


def _localised(words: Text) -> list[Json]:
    return [{"locale": name, "value": value} for name, value in words.items() if value]


def _iso(utc_ms: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(utc_ms / 1000))
