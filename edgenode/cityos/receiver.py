"""The receiver: brokers on one side, the sink on the other, and acks back."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from edgenode.cityos import topics
from edgenode.cityos.brokers import CityBroker
from edgenode.cityos.city import City, CityOptions, monotonic_ms, utc_ms
from edgenode.cityos.inbox import Delivery, Inbox
from edgenode.cityos.intake import Outcome, Receipt
from edgenode.cityos.link import Link
from edgenode.cityos.sink import Sink
from edgenode.cityos.store import SinkAway
from edgenode.wire import encode

COMMIT = 512  # messages in one transaction at most
TICK_MS = 1_000
REPORT_MS = 10_000  # refused messages are told at most this often
BACKOFF_S, BACKOFF_MAX_S = 0.1, 10.0  # between two tries of what the sink did not take

T = TypeVar("T")


class _Stopped(Exception):
    """The receiver was stopped while it waited for its sink."""


class Receiver:
    """Stores what nodes send and acknowledges it. One thread calls `run`; any may call `stop`."""

    def __init__(
        self,
        brokers: Sequence[CityBroker],
        sink: Sink,
        options: CityOptions,
        report: Callable[[str], None],
    ) -> None:
        self.city = City(sink, options)
        self._prefix = options.prefix
        self._report = report
        self._inbox = Inbox()
        self._stop = threading.Event()
        self._readied = threading.Condition()
        self._refused = 0
        self._tick_ms = self._told_ms = 0
        name, wanted = sink.client_id(), topics.filters(options.prefix)
        self.links = [
            Link(x, name, wanted, self._inbox.put, report, self._note_ready, share=options.share)
            for x in brokers
        ]

    def wait_ready(self, timeout_s: float) -> list[str]:
        """Wait until every broker is subscribed to, or any and `timeout_s`; return which are.

        The list is empty when the receiver was stopped before.
        """
        with self._readied:
            self._readied.wait_for(lambda: self._stopped() or self._connected())
            self._readied.wait_for(
                lambda: self._stopped() or len(self._connected()) == len(self.links), timeout_s
            )
            return self._connected()

    def _connected(self) -> list[str]:
        return [str(link.broker) for link in self.links if link.ready.is_set()]

    def _stopped(self) -> bool:
        return self._stop.is_set()

    def _note_ready(self) -> None:
        with self._readied:
            self._readied.notify_all()

    def stop(self) -> None:
        """End `run` soon; safe in a signal handler."""
        self._stop.set()
        self._inbox.wake()
        self._note_ready()

    def run(self) -> None:
        """Receive until `stop`; raises CityError when the sink cannot be written.

        A sink that is only away is waited for: brokers keep what is not stored meanwhile.
        """
        try:
            self._persist(lambda: self.city.resume(monotonic_ms(), utc_ms()))
            for link in self.links:
                link.start()
            busy = False
            while not self._stop.is_set():
                deliveries = self._inbox.take(COMMIT, 0 if busy else self._patience())
                if deliveries:
                    self._absorb(deliveries)
                self._acknowledge()
                busy = self._persist(self.city.derive)
                self._tick()
        except _Stopped:
            pass
        finally:
            self._stop.set()
            self._note_ready()
            self._close()

    def _persist(self, work: Callable[[], T]) -> T:
        """Do something in the sink as often as it takes; raises _Stopped when it is too late."""
        wait, told = BACKOFF_S, ""
        while True:
            try:
                return work()
            except SinkAway as exc:
                if str(exc) != told:
                    told = str(exc)
                    self._report(told)
                if self._stop.wait(random.uniform(wait / 2, wait)):  # noqa: S311 - jitter, no secret
                    raise _Stopped from exc
                wait = min(wait * 2, BACKOFF_MAX_S)

    def _close(self) -> None:
        self._inbox.close()
        for link in self.links:
            link.close()
        for link in self.links:
            if link.ident is not None:
                link.join()

    def _patience(self) -> float:
        """Return for how many seconds there is nothing to do but to receive."""
        due = self.city.next_due()
        until = self._tick_ms + TICK_MS if due is None else min(due, self._tick_ms + TICK_MS)
        return max(0, until - monotonic_ms()) / 1000

    def _absorb(self, deliveries: list[Delivery]) -> None:
        """Commit first; only what is durable is released to the broker."""
        messages = [x.message for x in deliveries]
        receipts = self._persist(lambda: self.city.absorb(messages, monotonic_ms()))
        for delivery, receipt in zip(deliveries, receipts, strict=True):
            delivery.release()
            self._follow_up(delivery, receipt)

    def _follow_up(self, delivery: Delivery, receipt: Receipt) -> None:
        if receipt.outcome is Outcome.REFUSED or receipt.outcome is Outcome.CONFLICT:
            self._refused += 1
        elif receipt.outcome is Outcome.NOTED:
            for link in self.links:
                link.fetched(delivery.message.topic)
        elif receipt.schema is not None:
            for topic in topics.exact(self._prefix, receipt.node, receipt.schema):
                for link in self.links:
                    link.fetch(topic)

    def _acknowledge(self) -> None:
        for ack in self._persist(lambda: self.city.acks(monotonic_ms(), utc_ms())):
            payload = encode(ack)
            for link in self.links:
                link.say(topics.ack(self._prefix, ack.node), payload)

    def _tick(self) -> None:
        now = monotonic_ms()
        if now - self._tick_ms < TICK_MS:
            return
        self._tick_ms = now
        self._persist(self.city.tidy)
        for node in self._persist(lambda: self.city.fall_silent(utc_ms())):
            self._report(f"node {node.hex()} is silent")
        if self._refused and now - self._told_ms >= REPORT_MS:
            self._report(f"{self._refused} messages refused or in conflict; see the audit")
            self._refused, self._told_ms = 0, now
