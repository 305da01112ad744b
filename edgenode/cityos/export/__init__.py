"""What the city holds, in the languages of others: NGSI-LD, SensorThings, JSON lines, SenML.

All read the outbox of the sink, at least once; no ack to a node ever waits for them.
"""
