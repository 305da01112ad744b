"""What stands on the wires of this machine: found, named, and written as stanzas of the file."""

from edgenode.scan.found import Seen, Wire
from edgenode.scan.places import wires
from edgenode.scan.stanza import added, stanzas
from edgenode.scan.survey import survey

__all__ = ["Seen", "Wire", "added", "stanzas", "survey", "wires"]
