"""From the configuration to what each room is told. Pure: nothing is opened here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgenode import __version__
from edgenode.config import Config, SiteTable
from edgenode.config.credentials import resolved
from edgenode.disclosure import published
from edgenode.node.disclosing import disclosed
from edgenode.spool import SpoolOptions
from edgenode.spool.confirmed import confirmed
from edgenode.wire import About

PLACE = ("name", "latitude", "longitude")
WORDS = ("purpose", "accountable", "retention", "access", "contact", "url", "privacy")
CLEAR, SECURE = 1883, 8883  # IANA: mqtt, secure-mqtt
MEGABYTE = 1_000_000  # as those who sell them count


def spool_options(config: Config) -> SpoolOptions:
    """Return what the spool is told."""
    table = config.spool
    return SpoolOptions(
        directory=spool_directory(config.node.state),
        cap_bytes=table.cap_mb << 20,
        commit_interval_ms=round(table.commit_interval_s * 1000),
        window_ms=round(table.window_s * 1000),
        offline_window_ms=round(table.offline_window_s * 1000),
        custody=config.uplink.custody,
        pregrow=table.pregrow,
        confirmed=confirmed(config.node.state, __version__),
    )


def spool_directory(state: Path) -> Path:
    """Return where below the state directory the spool lives."""
    return state / "spool"


def uplink_options(config: Config) -> Any:
    """Return what the uplink is told; imports paho.

    Raises NodeError for a credential that systemd has not handed over.
    """
    from edgenode.uplink import Broker, UplinkOptions  # noqa: PLC0415 - sampling comes first

    brokers = tuple(
        Broker(
            host=row.host,
            port=row.port or (SECURE if row.tls else CLEAR),
            tls=row.tls,
            ca=_found(row.ca),
            cert=_found(row.cert),
            key=_found(row.key),
            username=row.username,
            password_file=_found(row.password_file),
        )
        for row in config.uplink.broker
    )
    return UplinkOptions(
        node=bytes.fromhex(config.node.id),
        brokers=brokers,
        custody=config.uplink.custody,
        prefix=config.uplink.prefix,
        backlog_per_s=config.uplink.backlog_per_s,
        day_bytes=_bytes(config.budget.day_mb),
        month_bytes=_bytes(config.budget.month_mb),
        farewell_ms=FAREWELL_MS,
    )


def _found(path: Path | None) -> Path | None:
    return None if path is None else resolved(path)


def _bytes(megabytes: float | None) -> int | None:
    return None if megabytes is None else round(megabytes * MEGABYTE)


FAREWELL_MS = 800  # of the 2 s that a stop may take


def about(config: Config, board_model: str, commission: str = "") -> About:
    """Return what the node publishes about itself; `commission` is its record of that."""
    site, words = _given(config.site, PLACE), _given(config.site, WORDS)
    return About(
        node=bytes.fromhex(config.node.id),
        site=site,
        transparency=words | published(disclosed(config)),
        firmware=f"edgenode {__version__}",
        hardware=board_model,
        commission=commission,
    )


def _given(table: SiteTable, keys: tuple[str, ...]) -> dict[str, Any]:
    """Return what was written in a table under `keys`."""
    values = {key: getattr(table, key) for key in keys}
    return {key: value for key, value in values.items() if value not in {None, ""}}
