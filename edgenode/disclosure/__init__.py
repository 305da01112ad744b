"""What a node senses, why and for whom, told to people and machines: from tables of words."""

from edgenode.disclosure.dtpr import chain, element_ids
from edgenode.disclosure.published import published
from edgenode.disclosure.summary import Entry, Summary, Theme, summary
from edgenode.disclosure.text import lines
from edgenode.disclosure.words import LANGUAGES, said_of

__all__ = [
    "LANGUAGES",
    "Entry",
    "Summary",
    "Theme",
    "chain",
    "element_ids",
    "lines",
    "published",
    "said_of",
    "summary",
]
