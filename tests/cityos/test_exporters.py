"""Exporters read the outbox of either database, and keep their memory in it."""

from edgenode.cityos.sink import Sink
from edgenode.reading import Channel
from tests.support.exporting import Export
from tests.support.ngsild import strict_broker
from tests.support.told import Node

PM25 = Channel("pm25", "ug/m3", -1, observed="AirQualityObserved/pm25")
ID = "urn:ngsi-ld:AirQualityObserved:a1b2c3d4e5f6:air"


def test_what_was_sent_and_what_was_refused_is_remembered_across_restarts(sink: Sink) -> None:
    node = Node(sink, {"air": (PM25,)})
    node.say("air", (3_000, [3.0]))
    with strict_broker() as broker:
        Export(sink, broker).run()
        node.say("air", (1_000, [1.0]), (2_000, [2.0]))
        assert Export(sink, broker).run() == 2
        assert Export(sink, broker).run() == 0
        assert broker.value(ID, "pm25") == 3.0
        assert [one["value"] for one in broker.evolution[ID]["pm25"]] == [1.0, 2.0]
        broker.poison = {ID}
        node.say("air", (4_000, [4.0]))
        Export(sink, broker).run()
        (kept,) = Export(sink, broker).state.refused()
    assert kept.what == ID
    assert sink.db.execute("SELECT count(*) FROM alarm").fetchone()[0] == 1
