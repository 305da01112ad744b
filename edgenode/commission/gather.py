"""Everything that is judged, asked of the daemon, the machine, the wires and the brokers."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from edgenode.commission import asked, machine
from edgenode.commission.evidence import Evidence, Place
from edgenode.commission.link import links
from edgenode.commission.planned import configured, planned
from edgenode.commission.scope import Scope
from edgenode.commission.wires import Look
from edgenode.config import Config, load
from edgenode.config.surroundings import surroundings
from edgenode.control import NoDaemon, Refused, ask
from edgenode.errors import ConfigError
from edgenode.provision.places import ACCEPTED

Say = Callable[[str], None]
# The state directory, and why no daemon answers -> what can be told then, and the spool's survey.
Without = Callable[[str, str], tuple[Mapping[str, Any], Mapping[str, Any] | None]]
STATE: Final = Path("/var/lib/edgenode")  # where the file cannot say


def gather(
    path: Path, scope: Scope, say: Say, without: Without, plan: Path | None = None
) -> Evidence:
    """Look at the node of a configuration as far as `scope` goes, saying what is done.

    A plan is the document beside the configuration, or `plan`. A daemon that does not answer, a
    file with mistakes and a broker that is away are evidence, not errors.
    """
    try:
        config = load(path)
    except ConfigError as exc:
        if isinstance(exc.__cause__, PermissionError):
            return _of_machine(Evidence(refused=str(exc)), STATE)
        return _of_machine(Evidence(problems=tuple(exc.problems)), STATE)
    evidence = Evidence(
        node=config.node.id,
        warnings=(*config.warnings, *surroundings(config)),
        place=Place(config.site.latitude, config.site.longitude),
        configured=configured(config),
        plan=planned(plan or path.with_name(ACCEPTED), config.node.id),
        commit_interval_s=config.spool.commit_interval_s,
        certificates=machine.certificates(config),
    )
    evidence = _of_machine(evidence, config.node.state)
    look = _begun(config, scope, say)
    evidence = _asked(evidence, config, scope, say, without)
    if scope.flushes:
        say("timing small writes to the card")
        evidence = replace(evidence, card=machine.card(config.node.state, scope.flushes))
    if look is not None:
        seen, unscanned = look.result()
        evidence = replace(evidence, strangers=seen, unscanned=unscanned)
    return replace(evidence, at_utc_ms=time.time_ns() // 1_000_000)


def _of_machine(evidence: Evidence, state: Path) -> Evidence:
    return replace(
        evidence,
        at_utc_ms=time.time_ns() // 1_000_000,
        machine=machine.machine(state),
        disk_free_bytes=machine.room(state),
    )


def _begun(config: Config, scope: Scope, say: Say) -> Look | None:
    if not scope.scan_s:
        return None
    look = Look(config, scope.scan_s)
    if look.wires:
        say(f"looking at {', '.join(wire.path for wire in look.wires)}, which the file leaves out")
    return look


def _asked(
    evidence: Evidence, config: Config, scope: Scope, say: Say, without: Without
) -> Evidence:
    """Ask the daemon for its sensors and a delivery, and every broker; then how all of it is."""
    socket = config.node.socket
    try:
        found = asked.sensors(socket, config, scope.read_s, say)
        evidence = replace(evidence, sensors=found.sensors, unread=found.unread)
        evidence = replace(evidence, links=links(config, scope.trips, scope.link_s, say))
        if scope.deliver_s:
            say("waiting until a batch that is made now has arrived")
            arrived = asked.delivered(socket, config.uplink.custody, scope.deliver_s)
            evidence = replace(evidence, delivery=arrived)
        return replace(evidence, status=ask(socket, "status", asked.ASK_S))
    except Refused as exc:
        return replace(evidence, refused=str(exc))
    except NoDaemon as exc:
        absent, spool = without(str(config.node.state), str(exc))
        tried = evidence.links or links(config, scope.trips, scope.link_s, say)
        return replace(evidence, absent=absent, spool=spool, links=tried)
