"""Where a receiver is, when its time may be believed, and when the node was carried off."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.gnss import GNSS, MOVED, GNSSOptions
from drivers.gnss_clock import FIRST_DAY, PERIOD_DAYS, Witness, plausible
from edgenode.bus.nmea import Sentences, parsed
from edgenode.driver import declared
from edgenode.errors import BadFrame, BusTimeout, WrongDevice
from edgenode.reading import Anchor, ClockSource, EventCode, Privacy, Quality
from edgenode.virtual.gnss import GnssSpec, VirtualGNSS
from edgenode.virtual.series import Play
from tests.drivers.known_gnss import burst
from tests.drivers.known_nmea import sentence
from tests.support.beds import Bed, Cable, play
from tests.support.fake_serial import FakeSerial

UTC_MS = 1_795_478_400_123
CHATTER = b"\n" + sentence("GNTXT,01,01,02,ready")
POSITION = slice(0, 3)
AT_ONCE = GNSSOptions(almanac_s=0)


def made(port: FakeSerial, **options: object) -> GNSS:
    return GNSS(port, msgspec.convert(options, GNSSOptions), clock=port.clock)


@pytest.fixture
def bed() -> Bed:
    return Bed()


def played(
    bed: Bed, seconds: int, options: GNSSOptions | None = None, **spec: object
) -> tuple[GNSS, list[Anchor | None]]:
    """Let a receiver speak; return its driver, and what that vouched for in each second."""
    table = msgspec.convert({"sensor": "s", "utc_ms": UTC_MS, **spec}, GnssSpec)
    wire = Cable(bed, VirtualGNSS(table, bed.truth, bed.now_ns), GNSS.line)  # type: ignore[arg-type]
    wire.stirs()
    sensor = GNSS(wire, options or AT_ONCE, clock=bed.clock)
    found = []
    for _ in range(seconds):
        play(bed, wire, sensor, 1_000)
        found.append(sensor.instant())
    return sensor, found


def true_utc_ms(anchor: Anchor, start_ms: float) -> float:
    return anchor.mono - start_ms + UTC_MS


@pytest.mark.parametrize("talker", ["GP", "GN", "GL", "GA", "GB", "BD", "GQ"])
def test_every_talker_is_understood(talker: str) -> None:
    port = FakeSerial(CHATTER)
    sensor = made(port)
    body = "RMC,000001.00,A,5231.20000,N,01324.30000,E,0.0,,241126,,,A"
    port.say(sentence(talker + body))
    north, east, height = sensor.read(200).values[POSITION]
    assert [north, east] == pytest.approx([52.52, 13.405])
    assert height is None


def test_the_last_position_is_never_told_again_without_a_fix() -> None:
    port = FakeSerial(CHATTER)
    sensor = made(port)
    port.say(burst(1))
    assert sensor.read(1_000).values[0] == pytest.approx(52.52)
    port.say(sentence("GNRMC,000002.00,V,,,,,,,241126,,,N"))  # its GGA is still to come
    sample = sensor.read(2_000)
    assert sample.values[POSITION] == (None, None, None)
    assert sample.quality[POSITION] == (Quality.MISSING,) * 3


def test_a_receiver_that_has_no_fix_yet_settles_for_five_minutes() -> None:
    port = FakeSerial(CHATTER)
    sensor = made(port)
    found = []
    for second in range(1, 310, 4):
        port.say(burst(second, fix="V"))
        found.append((second, sensor.read(second * 1000).quality[0]))
    assert {how for second, how in found if second < 300} == {Quality.SETTLING}
    assert {how for second, how in found if second > 301} == {Quality.MISSING}


@pytest.mark.parametrize("quality", ["7", "8"])
def test_a_position_that_somebody_made_up_is_none(quality: str) -> None:
    port = FakeSerial(CHATTER)
    sensor = made(port)
    port.say(sentence(f"GNGGA,1,5231.2,N,01324.3,E,{quality},08,0.9,34.0,M,40.0,M,,"))
    sample = sensor.read(1_000)
    assert sample.values[POSITION] == (None, None, None)
    assert sample.values[5] == int(quality)


def test_what_is_older_than_two_periods_is_stale_and_then_the_receiver_is_lost() -> None:
    port = FakeSerial(CHATTER)
    sensor = made(port)
    port.say(burst(1))
    sensor.read(1_000)
    assert sensor.read(3_501).quality[0] is Quality.STALE
    with pytest.raises(BusTimeout, match="silent for 10 s"):
        sensor.read(11_001)


def test_another_speed_is_noise_and_says_what_to_do() -> None:
    with pytest.raises(BadFrame, match="write 38400 into"):
        made(FakeSerial(bytes(range(128, 255)) * 3))


def test_a_receiver_that_tells_no_position_is_told_what_to_send() -> None:
    port = FakeSerial(CHATTER)
    sensor = made(port)
    assert sensor.read(0).quality[0] is Quality.SETTLING
    for second in range(1, 11):
        port.say(sentence("GNVTG,,T,,M,0.0,N,0.0,K,A"))
        sensor.feed(second * 1_000)
    port.say(sentence("GNVTG,,T,,M,0.0,N,0.0,K,A"))
    with pytest.raises(WrongDevice, match="neither RMC nor GGA"):
        sensor.read(11_000)


def test_a_flat_fix_has_no_height(bed: Bed) -> None:
    sensor, _ = played(bed, 2, satellites={"offset": 3.0})
    sample = sensor.read(bed.now_ms)
    assert sample.values[0] is not None
    assert (sample.values[2], sample.quality[2]) == (None, Quality.MISSING)
    assert sample.values[6] == 2


def test_where_a_node_is_carried_to_is_for_the_operator_only() -> None:
    channels = {channel.name: channel.privacy for channel in declared(GNSS, GNSSOptions())}
    assert [channels[name] for name in ("latitude", "longitude", "altitude")] == [
        *(Privacy.INTERNAL,) * 3
    ]
    assert channels["satellites"] is Privacy.OPEN


@pytest.mark.parametrize("latency_ms", [0, 150, 600, 999])
@pytest.mark.parametrize("period_ms", [200, 1_000])
def test_true_time_is_within_the_error_however_late_its_sentences_come(
    bed: Bed, latency_ms: int, period_ms: int
) -> None:
    start_ms = bed.now_ns / 1e6
    _, found = played(bed, 60, latency_ms=latency_ms, period_ms=period_ms)
    anchors = [anchor for anchor in found if anchor]
    assert anchors
    for anchor in anchors:
        assert anchor.source == ClockSource.GNSS
        assert abs(anchor.utc - true_utc_ms(anchor, start_ms)) <= anchor.err == 550


def test_it_vouches_for_nothing_before_it_has_heard_the_almanac(bed: Bed) -> None:
    _, found = played(bed, 760, GNSSOptions())
    assert found[:750] == [None] * 750
    assert all(found[752:])


def test_one_that_was_measured_is_surer(bed: Bed) -> None:
    start_ms = bed.now_ns / 1e6
    _, found = played(bed, 30, GNSSOptions(latency_ms=200, almanac_s=0), latency_ms=180)
    anchor = found[-1]
    assert anchor is not None
    assert abs(anchor.utc - true_utc_ms(anchor, start_ms)) <= anchor.err == 150


def test_it_vouches_for_nothing_before_sixteen_moments_agree(bed: Bed) -> None:
    _, found = played(bed, 30)
    assert found[:14] == [None] * 14
    assert all(found[17:])


@pytest.mark.parametrize("weeks", [-1024, 1024])
def test_a_receiver_that_is_out_by_a_rollover_vouches_for_nothing(bed: Bed, weeks: int) -> None:
    sensor, found = played(bed, 40, weeks=weeks)
    assert found == [None] * 40
    sample = sensor.read(bed.now_ms)
    assert sample.values[-1] == 1
    assert sample.values[0] is not None, "its position is as good as ever"


def test_a_receiver_without_a_fix_vouches_for_nothing(bed: Bed) -> None:
    sensor, found = played(bed, 40, satellites={"offset": 0.0})
    assert found == [None] * 40
    assert sensor.read(bed.now_ms).values[-1] == 0


def test_zda_is_enough_where_there_is_no_rmc(bed: Bed) -> None:
    _, found = played(bed, 30, sentences=["GGA", "ZDA"])
    assert found[-1] is not None


@given(st.dates(FIRST_DAY, FIRST_DAY + timedelta(days=PERIOD_DAYS - 1)), st.sampled_from([-1, 1]))
def test_of_a_day_and_the_same_a_rollover_away_only_one_is_believed(day: date, way: int) -> None:
    assert plausible(day)
    assert not plausible(day + way * timedelta(weeks=1024))


def test_one_that_changes_its_mind_is_believed_again_only_once_it_is_steady() -> None:
    witness, day = Witness(1_000, 60_000), date(2026, 11, 24)
    said = [witness.heard(day, n * 1000, n * 1000 + 100) for n in range(100)]
    corrected = [witness.heard(day, n * 1000 + 2_000, n * 1000 + 100) for n in range(100, 200)]
    assert said[-1] is not None
    assert corrected[:60] == [None] * 60
    assert corrected[-1] is not None


def test_a_sentence_that_we_took_in_late_moves_nothing() -> None:
    witness, day = Witness(1_000, 0), date(2026, 11, 24)
    for n in range(30):
        anchor = witness.heard(day, n * 1000, n * 1000 + (900 if n == 29 else 100))
    assert anchor is not None
    assert anchor.utc - anchor.mono == 1_795_478_400_000 - 100 + 500


def test_an_instant_is_told_once() -> None:
    port = FakeSerial(CHATTER)
    sensor = made(port, almanac_s=0)
    for n in range(1, 20):
        port.say(burst(n))
        sensor.feed(n * 1_000)
    assert sensor.instant() is not None
    assert sensor.instant() is None


def moved(sensor: GNSS, port: FakeSerial, seconds: range, minutes: str) -> list[int]:
    """Return in which seconds it was told that the node has moved, 0.1' being 185 m."""
    found = []
    for second in seconds:
        port.say(burst(second, minutes))
        events = sensor.feed(second * 1_000)
        found += [second for e in events if (e.code, e.value) == (EventCode.TAMPER, MOVED)]
    return found


def test_a_node_that_is_carried_off_is_an_alarm_once() -> None:
    port = FakeSerial(CHATTER)
    sensor = made(port)
    assert moved(sensor, port, range(1, 100), "31.20000") == []
    assert moved(sensor, port, range(100, 300), "31.30000") == [129]
    assert moved(sensor, port, range(300, 400), "31.40000") == []
    assert moved(sensor, port, range(400, 500), "31.20000") == []
    assert moved(sensor, port, range(500, 600), "31.30000") == [529]


def test_a_node_that_wakes_up_elsewhere_is_an_alarm_where_its_home_was_told() -> None:
    port = FakeSerial(CHATTER)
    sensor = made(port, latitude=52.5216, longitude=13.405)
    assert moved(sensor, port, range(1, 60), "31.20000") == [29]  # 178 m; of its first second both
    far = made(FakeSerial(CHATTER), latitude=52.5216, longitude=13.405, moved_m=200)
    assert moved(far, port, range(60, 99), "31.20000") == []


def test_half_a_home_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="write both or none"):
        msgspec.convert({"latitude": 52.5}, GNSSOptions)


def test_bytes_of_another_protocol_between_sentences_cost_no_sentence() -> None:
    ubx = bytes.fromhex("b56201072400") + bytes(range(33, 69)) + b"\x12\x34"
    said = Sentences()
    said.cut(b"\n")
    told = said.cut(ubx + burst(1) + ubx + burst(2))
    assert len([body for body in told if parsed(body)]) == 6


def test_a_virtual_receiver_puts_south_and_west_in_their_letters(bed: Bed) -> None:
    spec = GnssSpec("s", utc_ms=0, latitude=Play(offset=-33.5), longitude=Play(offset=-70.25))
    said = VirtualGNSS(spec, bed.truth, 0).speak(1_200_000_000)
    assert b",3330.00000,S,07015.00000,W," in said
