"""The receiving side: store raw batches, acknowledge what is durable, derive rows, account.

Only `link`, `receiver` and `tail` speak MQTT; the sink, the derivation and the audit do not.
"""
