"""One session's work: take, publish, and give custody away on the PUBACK of that very message."""

from __future__ import annotations

from edgenode.uplink.hearing import Hearing
from edgenode.uplink.lanes import Lane
from edgenode.uplink.office import Office
from edgenode.uplink.parcel import Kind, Parcel, Retained
from edgenode.uplink.parking import Parking
from edgenode.uplink.prelude import Prelude
from edgenode.uplink.presence import Presence
from edgenode.uplink.resend import outstanding
from edgenode.uplink.session import Connack, Session
from edgenode.uplink.verdict import (
    NO_SUBSCRIBERS,
    NOT_AUTHORIZED,
    PACKET_TOO_LARGE,
    REFUSED,
    Verdict,
    judge,
)
from edgenode.uplink.window import Window

IDLE_MS = 1_000  # nothing is planned sooner
LOOK_AGAIN_MS = 5_000  # outboxes are asked anew this often, in case a signal was lost
TAKEN_OVER = 0x8E  # DISCONNECT: another client connected under our id


class Forwarder:
    """Serves one session from its CONNACK to its end."""

    def __init__(
        self, office: Office, session: Session, connack: Connack, presence: Presence
    ) -> None:
        self._office = office
        self._session = session
        self._packet_max = connack.packet_max
        self._presence = presence
        self._hearing = Hearing(session, office.topics, office.clock)
        self._prelude = Prelude(office.topics, office.about, presence)
        self._window = Window(connack.receive_maximum, office.clock)
        self._in_flight: dict[int, Parcel | Retained] = {}
        self._live = Lane(office.boxes, live=True)
        self._backlog = Lane(office.boxes[::-1], live=False)  # older spools hold older batches
        self._parking = Parking(office.clock, office.jitter)
        self._lone = False  # a suspect is in flight, and nothing else may be
        self._again: Parcel | None = None  # to be sent again, waiting for its slot
        self._looked_ms = self._answered_ms = office.clock.boot_ms()
        self._proved = False

    def begin(self) -> None:
        """Say who we are, and ask for acks and for what stands in our own state."""
        for box in self._office.boxes:
            box.begin_session()
        self._send_prelude()
        # After the publish: what is retained there is then this session's state, not the last's.
        self._hearing.ask()

    def signal(self) -> None:
        """Look into the outboxes at the next turn."""
        self._live.signal()
        self._backlog.signal()

    def turn(self) -> int:
        """Do what is due; return in how many ms it is to be called again at the latest."""
        self._office.budget.look()
        self.settle()
        self._read_messages()
        if self._office.clock.boot_ms() - self._looked_ms >= LOOK_AGAIN_MS:
            self._looked_ms = self._office.clock.boot_ms()
            self.signal()
        self._send()
        stats = self._office.stats
        stats.in_flight, stats.parked = len(self._window), len(self._parking)
        starved = len(self._backlog) == 0 and self._backlog.hopeful
        return self._office.bucket.wait_ms() or IDLE_MS if starved else IDLE_MS

    def settle(self) -> bool:
        """Take in the PUBACKs; end a session that brings none. True when none is awaited."""
        self._read_pubacks()
        self._watch()
        return not self._in_flight

    def _read_pubacks(self) -> None:
        pubacks, self._session.pubacks = self._session.pubacks, []
        for puback in pubacks:
            item = self._in_flight.pop(puback.mid, None)
            if item is None:
                continue
            self._window.acked(puback.mid)
            self._answered_ms = self._office.stats.last_puback_ms = self._office.clock.boot_ms()
            self._proved = True
            self._lone = False
            if isinstance(item, Retained):
                self._prelude.answered(item)
                if puback.code >= REFUSED:
                    self._refused(f"{item.topic}: refused", puback.code)
            else:
                self._judge(item, puback.code)

    def leave(self) -> None:
        """Publish that we are going; the Last Will is not sent for a session that ends so."""
        topic, payload = self._office.topics.state, self._presence.offline
        self._publish(Retained(Kind.STATE, topic, payload), topic, payload, live=True)

    def end(self, *, stopped: bool) -> bool:
        """Give back what was in flight; True when the session brought a PUBACK.

        What arrived together with the end still counts.
        """
        self._read_pubacks()
        self._read_messages()
        lost = [item for item in self._in_flight.values() if isinstance(item, Parcel)]
        for box in self._office.boxes:
            box.end_session()
        self._office.stats.in_flight = self._office.stats.parked = 0
        over = self._session.ended
        if over is None or stopped:
            return self._proved
        self._office.stats.last_error = over.text + self._asked()
        victim = self._office.suspects.dropped((p.identity for p in lost), by_peer=over.by_peer)
        for parcel in lost:
            if parcel.identity == victim:
                self._set_aside(parcel, f"the connection ended each time it was sent: {over.text}")
        if over.code == TAKEN_OVER:
            self._office.alarms.tamper()
        return self._proved and over.code != TAKEN_OVER

    def _asked(self) -> str:
        """Say what a broker hung up on that answered nothing, as RabbitMQ does without rights."""
        over = self._session.ended
        if self._proved or over is None or not over.by_peer or not self._in_flight:
            return ""
        item = next(iter(self._in_flight.values()))
        what = item.topic if isinstance(item, Retained) else item.name
        return f" while the node sent {what}: may it?"

    def _read_messages(self) -> None:
        if self._hearing.refused():
            what = f"reading {self._office.topics.ack}: refused"
            self._refused(what, NOT_AUTHORIZED, subscription=True)
        messages, self._session.messages = self._session.messages, []
        for topic, payload in messages:
            if topic == self._office.topics.ack:
                self._office.alarms.heard()
                self._prelude.wanted(self._office.boxes, self._office.acks.take(payload))
                self._parking.heard()
                self.signal()
            elif topic == self._office.topics.state:
                self._presence.seen(payload)

    def _watch(self) -> None:
        """End a session in which no PUBACK comes, however alive the rest of it looks.

        A message that the kernel still takes bytes of is on its way; its time begins after.
        """
        oldest = self._window.oldest_ms
        if oldest is None:
            return
        life = max(oldest, self._answered_ms, self._session.moved_ms)
        if self._office.clock.boot_ms() - life >= self._office.options.puback_ms:
            where, limit = self._session.broker.address, self._office.options.puback_ms
            self._session.drop(f"{where}: no PUBACK in {limit} ms")

    def _judge(self, parcel: Parcel, code: int) -> None:
        """Do with a batch what its PUBACK says."""
        self._office.suspects.acked(parcel.identity)
        verdict = judge(code)
        if verdict is Verdict.ACKED:
            parcel.box.broker_acked(parcel.sealed.stream, parcel.sealed.seq)
            self._office.stats.acked += 1
            self._office.alarms.flowing()
            self._parking.accepted(parcel)
            if not parcel.resend:
                for resends in self._office.resends:
                    resends.acked(parcel)
            return
        if code >= REFUSED:
            self._refused(f"{parcel.name}: refused", code)
        if verdict is Verdict.SET_ASIDE:
            self._set_aside(parcel, f"the broker refused it with reason code 0x{code:02x}")
            return
        if verdict is Verdict.SLOW_DOWN:
            self._parking.slow_down()
        if not parcel.resend:  # the resend's own pauses go on
            parcel.unheard = code == NO_SUBSCRIBERS
            self._parking.park(parcel)

    def _refused(self, what: str, code: int, *, subscription: bool = False) -> None:
        self._office.stats.refused += 1
        self._office.stats.last_error = (
            f"{what} with reason code 0x{code:02x} by {self._session.broker.address}; "
            "check the rights of this node there"
        )
        self._office.alarms.refused(code, subscription=subscription)

    def _set_aside(self, parcel: Parcel, reason: str) -> None:
        parcel.set_aside(reason)
        self._office.stats.set_aside += 1
        self._office.stats.last_error = f"{parcel.name} set aside: {reason}"

    def _send(self) -> None:
        """Publish what may go now: retained messages, fresh batches, repeats, backlog."""
        self._send_prelude()
        for place in (self._parking, self._live, self._backlog):
            place.keep(self._office.budget.streams)
        while (parked := self._parking.due()) is not None:
            if not self._offer(parked, live=False):
                self._parking.back(parked)
                break
        if not self._parking.closed:
            self._send_lane(self._live)
            self._send_again()
            self._send_lane(self._backlog)
        self._send_prelude()  # births that the batches above wait for

    def _send_prelude(self) -> None:
        while not self._lone and self._window.slots(live=True):
            message = self._prelude.next()
            if message is None:
                return
            if self._too_large(message.topic, message.data):
                self._prelude.answered(message)
                self._refused(f"{message.topic}: too large", PACKET_TOO_LARGE)
            elif not self._publish(message, message.topic, message.data, live=True):
                return

    def _send_lane(self, lane: Lane) -> None:
        while self._session.ended is None:
            parcel = lane.head()
            if parcel is None:
                if not self._top_up(lane):
                    return
            elif self._offer(parcel, live=lane.live):
                lane.shift()
            else:
                return

    def _top_up(self, lane: Lane) -> int:
        """Take as many as can be sent, and may be outstanding to the City OS."""
        limit, streams = self._window.slots(live=lane.live), self._office.budget.streams
        if self._office.options.custody == "city":
            waiting = len(self._window) + len(self._parking) + len(self._live) + len(self._backlog)
            room = self._office.options.outstanding_max - outstanding(self._office.boxes) - waiting
            self._office.stats.paused = room <= 0
            limit = min(limit, room)
        if lane.live:
            return lane.top_up(limit, streams)
        taken = lane.top_up(self._office.bucket.available(limit), streams)
        self._office.bucket.spend(taken)
        return taken

    def _send_again(self) -> None:
        """Send the oldest batch that the City OS has not confirmed in time."""
        if self._office.options.custody != "city":
            return
        streams = self._office.budget.streams
        if self._again is not None and self._again.sealed.stream not in streams:
            self._again = None  # its turn comes again
        for resends in self._office.resends:
            if self._again is None:
                self._again = resends.due(streams)
        if self._again is not None and self._offer(self._again, live=False):
            self._again = None
            self._office.stats.resends += 1

    def _offer(self, parcel: Parcel, *, live: bool) -> bool:
        """Send a batch, if all that it needs is said and there is room; False: it must wait."""
        sealed = parcel.sealed
        suspect = parcel.identity in self._office.suspects
        if self._lone or not self._prelude.ready(parcel) or (suspect and len(self._window)):
            return False
        topic = self._office.topics.batch(sealed.stream)
        if self._too_large(topic, sealed.data):
            self._set_aside(parcel, f"larger than the broker's limit of {self._packet_max} bytes")
            return True
        if not self._window.admits(len(sealed.data), live=live):
            return False
        if not self._publish(parcel, topic, sealed.data, live=live):
            return False
        self._office.stats.sent += 1
        self._lone = suspect
        return True

    def _too_large(self, topic: str, payload: bytes) -> bool:
        size = self._session.packet_size(topic, payload)
        return self._packet_max is not None and size > self._packet_max

    def _publish(self, item: Parcel | Retained, topic: str, payload: bytes, *, live: bool) -> bool:
        mid = self._session.publish(topic, payload, retain=isinstance(item, Retained))
        if mid is None:
            return False
        self._in_flight[mid] = item
        self._window.sent(mid, len(payload), live=live)
        self._office.stats.bytes_sent += len(payload)
        return True
