"""The module that lets `reboot "0 tryboot"` reach the firmware, built for the image's kernel.

Debian's kernel lacks what Raspberry Pi's has; deploy/ota/tryboot tells more.
"""

from __future__ import annotations

import re
from pathlib import Path

from .kernel import Kernel
from .packages import Archive, Package
from .recipe import CHECKOUT, BuildError, run

BUILD = CHECKOUT / "deploy/ota/tryboot/build"
MODULE = "edgenode_tryboot"


def add(archive: Archive, kernel: Kernel, work: Path) -> tuple[Package, ...]:
    """Build the module into `kernel.root`, to be loaded at each boot; returns what made it.

    The headers come with the kernel's own version, their tools (linux-kbuild) from the APT of the
    building machine, since they run on it. Raises BuildError where a part lacks.
    """
    work.mkdir()
    headers = work / "headers"
    name = f"linux-headers-{kernel.release}"
    common = re.sub(r"-[a-z0-9]+$", "-common", name)
    made_with = []
    for wanted in (name, common):
        package, path = archive.fetch(wanted)
        made_with.append(package)
        run(["dpkg-deb", "-x", path, headers])
        if wanted == name:
            run(["dpkg-deb", "-x", _tools(path, work), headers])
    place = kernel.root / "usr/lib/modules" / kernel.release / "updates"
    place.mkdir()
    run([BUILD, kernel.release, headers, place / f"{MODULE}.ko"])
    run(["depmod", "-b", kernel.root / "usr", kernel.release])
    load = kernel.root / "usr/lib/modules-load.d" / f"{MODULE}.conf"
    load.parent.mkdir(parents=True, exist_ok=True)
    load.write_text(f"{MODULE}\n")
    return tuple(made_with)


def _tools(headers: Path, work: Path) -> Path:
    """Download linux-kbuild as the headers ask for it, for this machine."""
    depends = run(["dpkg-deb", "-f", headers, "Depends"])
    found = re.search(r"linux-kbuild-\S+?(?=[ ,(]|$)", depends)
    if found is None:
        raise BuildError(f"{headers.name} depends on no linux-kbuild; is it Debian's?")
    run(["apt-get", "download", "-qq", found[0]], cwd=work, env={"APT_CONFIG": "/dev/null"})
    (tools,) = work.glob("linux-kbuild-*.deb")
    return tools
