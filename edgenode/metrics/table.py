"""All metrics of the node as data: where each comes from, and what it means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from edgenode.metrics.text import Kind

Source = Literal[
    "node", "health", "problem", "build", "budget", "bus", "lateness", "rung", "recovery",
    "sensor",
    "sensor state", "channel", "spool", "uplink",
]  # fmt: skip

MS = 1000  # the documents have ms, metrics have seconds
UNITS = ("seconds", "bytes")


class Spec(NamedTuple):
    """One metric: the field of each row of its source, divided by `per`."""

    name: str  # without the prefix; it ends with its unit where it has one
    kind: Kind
    field: str
    help: str
    per: int = 1

    @property
    def full_name(self) -> str:
        """The name as it is published, but for the `_total` of a counter."""
        return f"edgenode_{self.name}"

    @property
    def unit(self) -> str:
        """The base unit that the name ends with."""
        return next((unit for unit in UNITS if self.name.endswith(f"_{unit}")), "")


TABLE: Mapping[Source, tuple[Spec, ...]] = {
    "build": (Spec("build", "info", "one", "Version of edgenode."),),
    "health": (Spec("health", "stateset", "on", "How the node is."),),
    "node": (
        Spec("health_age_seconds", "gauge", "since_s", "Since the health changed."),
        Spec("up_seconds", "gauge", "up_s", "Since the daemon was started."),
        Spec(
            "clock_vouched",
            "gauge",
            "clock_vouched",
            "Whether anything vouches for the wall clock.",
        ),
        Spec(
            "clock_error_seconds",
            "gauge",
            "clock_err_ms",
            "By how much the wall clock may be wrong.",
            MS,
        ),
        Spec(
            "maintenance_left_seconds",
            "gauge",
            "maintenance_left_s",
            "Until maintenance ends; 0: nobody works here.",
        ),
    ),
    "problem": (Spec("problem_age_seconds", "gauge", "since_s", "Since each problem began."),),
    "budget": (
        Spec(
            "budget_used_bytes",
            "gauge",
            "bytes",
            "Over the network both ways, this day and month.",
        ),
        Spec("budget_limit_bytes", "gauge", "limit", "How much may be sent in that time."),
    ),
    "recovery": (
        Spec("recovery_last_resorts", "gauge", "uses", "Starts anew to free a bus, in 24 hours."),
    ),
    "bus": (
        Spec("bus_stuck", "gauge", "stuck", "Whether a read on the bus does not return."),
        Spec("bus_hangs", "counter", "times_stuck", "Reads that did not return in their budget."),
    ),
    "lateness": (Spec("bus_lateness_seconds", "summary", "late_ms", "How late reads begin.", MS),),
    "rung": (
        Spec("bus_recovery_tries", "counter", "tried", "Uses of each rung of recovery."),
        Spec("bus_recovery_successes", "counter", "helped", "Of them, those that helped."),
    ),
    "sensor state": (Spec("sensor_state", "stateset", "on", "How each sensor is."),),
    "sensor": (
        Spec("sensor_reads", "counter", "reads", "Good reads."),
        Spec("sensor_failures", "counter", "failures", "Failed reads and openings."),
        Spec(
            "sensor_missed_slots", "counter", "missed", "Slots that passed while the bus was busy."
        ),
        Spec("sensor_opens", "counter", "opens", "How often the sensor was opened."),
        Spec("sensor_last_ok_age_seconds", "gauge", "last_ok_s", "Since the last good read."),
    ),
    "channel": (
        Spec("channel_value", "gauge", "value", "Newest value, in the unit of its label."),
        Spec("channel_ok", "gauge", "ok", "Whether the newest reading can be trusted."),
        Spec("channel_age_seconds", "gauge", "age_s", "Age of the newest reading."),
    ),
    "spool": (
        Spec("spool_epoch", "gauge", "epoch", "Boots that this spool has seen."),
        Spec("spool_degraded", "gauge", "in_trouble", "Whether the disk is in trouble."),
        Spec("spool_capacity_bytes", "gauge", "cap_bytes", "Room of the store."),
        Spec(
            "spool_used_bytes",
            "gauge",
            "used_bytes",
            "Of it in use; eviction begins at nine tenths.",
        ),
        Spec("spool_held_batches", "gauge", "held_batches", "Sealed and not yet let go."),
        Spec(
            "spool_unconfirmed_batches",
            "gauge",
            "unconfirmed_batches",
            "Taken by a broker and not yet confirmed by the City OS.",
        ),
        Spec("spool_window_readings", "gauge", "window_readings", "In no batch yet."),
        Spec("spool_oldest_age_seconds", "gauge", "oldest_ms", "Age of the oldest batch held.", MS),
        Spec("spool_quarantined", "gauge", "set_aside", "Pieces set aside as damaged."),
        Spec("spool_readings", "counter", "readings", "Readings taken."),
        Spec("spool_events", "counter", "events", "Events taken."),
        Spec("spool_commits", "counter", "commits", "Commits of the journal."),
        Spec("spool_seals", "counter", "seals", "Batches sealed."),
        Spec("spool_sealed_bytes", "counter", "sealed_bytes", "Bytes of sealed batches."),
        Spec("spool_written_bytes", "counter", "written_bytes", "Bytes written to the card."),
        Spec(
            "spool_evicted_readings",
            "counter",
            "evicted_readings",
            "Readings given up for want of room.",
        ),
        Spec(
            "spool_overflow_readings",
            "counter",
            "overflow_readings",
            "Readings lost while the disk did not answer.",
        ),
        Spec(
            "spool_pruned_batches",
            "counter",
            "pruned_batches",
            "Batches let go, as the City OS has them.",
        ),
    ),
    "uplink": (
        Spec("uplink_connected", "gauge", "connected", "Whether a broker is connected."),
        Spec(
            "uplink_paused", "gauge", "paused", "Whether as much as may be waits for the City OS."
        ),
        Spec("uplink_connections", "counter", "connections", "Connections made."),
        Spec("uplink_sent_batches", "counter", "sent", "Handed to a broker, repeats included."),
        Spec("uplink_acked_batches", "counter", "acked", "Acknowledged by a broker."),
        Spec(
            "uplink_resent_batches",
            "counter",
            "resends",
            "Sent again, as the City OS did not confirm them.",
        ),
        Spec("uplink_refused_batches", "counter", "refused", "Refused by a broker."),
        Spec("uplink_in_flight_messages", "gauge", "in_flight", "Waiting for the broker's word."),
        Spec(
            "uplink_parked_batches",
            "gauge",
            "parked",
            "Refused or unheard, kept and retried slowly.",
        ),
        Spec(
            "uplink_set_aside_batches",
            "gauge",
            "set_aside",
            "Not sent any more: each try ended the connection.",
        ),
        Spec("uplink_sent_bytes", "counter", "bytes_sent", "Payload of all messages."),
        Spec("uplink_city_acks", "counter", "city_acks", "Acknowledgements of the City OS."),
        Spec(
            "uplink_last_broker_ack_age_seconds",
            "gauge",
            "puback_age_ms",
            "Since a broker acknowledged something.",
            MS,
        ),
        Spec(
            "uplink_last_city_ack_age_seconds",
            "gauge",
            "ack_age_ms",
            "Since the City OS confirmed something.",
            MS,
        ),
    ),
}
