"""Where a node keeps what it was told, and where an installer puts it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, NamedTuple

from edgenode.durable import Owner
from edgenode.provision.settings import group
from edgenode.provision.store import Store

DOCUMENT, CITY_KEY, STATUS = "node.json", "city.pub", "status.txt"  # on the boot partition
ACCEPTED, TOML, CA = "node.json", "edgenode.toml", "tls/ca.pem"  # below /etc/edgenode
KEYS: Final = "provision.d"
BEFORE: Final = "edgenode.toml.before"
GROUP: Final = "edgenode"


class Places(NamedTuple):
    """Directories; `secret` owns what root alone reads, `shared` what the daemon reads too."""

    root: Path
    boot: Path
    secret: Owner | None = None
    shared: Owner | None = None

    @property
    def etc(self) -> Path:
        return self.root / "etc/edgenode"

    @property
    def run(self) -> Path:
        return self.root / "run/edgenode-provision"

    @property
    def store(self) -> Store:
        return Store(self.etc, self.secret, self.shared)


def places_below(root: Path, boot: Path) -> Places:
    """Return the places of a root file system, with the owners that files have there.

    Raises NodeError where that has no group edgenode. Who is not root cannot give files away.
    """
    if os.geteuid() != 0:
        return Places(root, boot)
    return Places(root, boot, Owner(0, 0), Owner(0, group(root, GROUP)))
