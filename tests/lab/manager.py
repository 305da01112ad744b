"""A machine of the lab whose first process is systemd, with our units and udev rules installed.

It has a serial port on a cable that ends at another port of the same machine, a clock that lost
its power, and a spool of somebody who knew the time.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Final

from edgenode.forward import DAY_MS, built_ms
from tests.lab.machine import CHECKOUT, boot, prepared
from tests.support.clock import FakeClock
from tests.support.spools import feed, opened
from tests.systemd.container import UNITS, binds, furnish, installed

LOST: Final = "2020-01-01T00:00:00"  # what the clock of the machine says when it is switched on
KNEW_MS: Final = 40 * DAY_MS  # the spool: so long after the build
RULES: Final = CHECKOUT / "deploy/deb/debian/60-edgenode.rules"
JOB: Final = """\
#!/bin/sh
# The first process: lays out what a package would install, and goes on as systemd.
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mkdir -p /opt/lab && mount --move /run/lab /opt/lab
mount --bind {modules} /lib/modules
# The host may be a container, which this machine is not; and what it mounts and starts by itself
# is no matter here.
rm -f /.dockerenv
mount -t tmpfs none /usr/lib/systemd/system-generators
{binds}
cp -a /opt/lab/tree/. /
systemd-sysusers edgenode.conf
chown -R edgenode:edgenode /var/lib/edgenode
exec /lib/systemd/systemd --unit=trial.target
"""
TRIAL: Final = f"""\
[Unit]
DefaultDependencies=no
After=sysinit.target
[Service]
Type=oneshot
WorkingDirectory={CHECKOUT}
ExecStart={sys.executable} -m tests.lab.unit /opt/lab
ExecStopPost=/bin/sh -c 'journalctl -o short-monotonic >/opt/lab/journal'
ExecStopPost=/bin/sh -c 'echo $EXIT_STATUS >/opt/lab/exit'
ExecStopPost=/bin/systemctl --force --force poweroff
StandardOutput=file:/opt/lab/log
StandardError=inherit
"""
PROBE: Final = """\
#!/bin/sh
# In the daemon's sandbox: devices that anybody may read, of which one is not on the list.
for device in /dev/cpu_dma_latency /dev/i2c-probe; do
  (: <"$device") 2>&1 && echo "opened: $device"
done >/var/lib/edgenode/probe
exit 0
"""
GREEDY: Final = """\
#!/bin/sh
# Takes so many MiB: what is in a file system in memory is charged to who wrote it.
exec dd if=/dev/zero of=/tmp/greedy bs=1M count="$1"
"""
# The unit of the daemon, and something else in it.
GREEDY_UNIT: Final = """\
[Service]
Type=oneshot
Restart=no
WatchdogSec=0
ExecStart=
ExecStart=/usr/libexec/trial/greedy %i
"""
TARGET: Final = """\
[Unit]
Requires=sysinit.target trial.service
After=sysinit.target
"""
SYSTEM: Final = "etc/systemd/system"
FILES: Final = {
    f"{SYSTEM}/trial.target": TARGET,
    f"{SYSTEM}/trial.service": TRIAL,
    f"{SYSTEM}/edgenode.service.d/trial.conf": "[Service]\nExecStartPre=/usr/libexec/trial/probe\n",
    f"{SYSTEM}/greedy@.service": (UNITS / "edgenode.service").read_text("utf-8"),
    f"{SYSTEM}/greedy@.service.d/trial.conf": GREEDY_UNIT,
    "usr/libexec/trial/probe": PROBE,
    "usr/libexec/trial/greedy": GREEDY,
    "etc/fstab": "",
    # The files of the host in /tmp are many and not to be cleared away: Python may lie there.
    "etc/tmpfiles.d/tmp.conf": "",
    "etc/machine-id": "",
}
# What the guest does not need, and would take seconds.
MASKED: Final = (
    *("systemd-udev-trigger", "systemd-random-seed", "systemd-binfmt", "systemd-update-utmp"),
    *("systemd-sysctl", "systemd-pstore", "systemd-journal-flush", "systemd-hwdb-update"),
    *(
        "systemd-sysusers",
        "modprobe@dm_mod",
        "modprobe@efi_pstore",
        "modprobe@fuse",
        "modprobe@loop",
    ),
)
# The cable: the second port of the board, and a port on PCI.
CABLE: Final = (
    *("-chardev", "socket,id=far,path=cable,server=on,wait=off"),
    *("-chardev", "socket,id=near,path=cable"),
    *("-serial", "chardev:near", "-device", "pci-serial,chardev=far"),
)


def run(job: Path) -> None:
    """Boot, let `tests.lab.unit` look around, and end; what it found lies in `job`."""
    lab = prepared()
    tree = job / "tree"
    furnish(
        tree, {**installed(), **FILES, "usr/lib/udev/rules.d/60-edgenode.rules": RULES.read_text()}
    )
    for unit in MASKED:
        (tree / SYSTEM / f"{unit}.service").symlink_to("/dev/null")
    wants = tree / SYSTEM / "sysinit.target.wants"
    wants.mkdir()
    (wants / "edgenode-clock.service").symlink_to("/etc/systemd/system/edgenode-clock.service")
    _left_behind(tree / "var/lib/edgenode/spool")
    bound = [f"mkdir -p {to}; mount --bind {shlex.quote(of)} {to}" for of, to in binds(job).items()]
    modules = shlex.quote(str(lab / "lib/modules"))
    (job / "job.sh").write_text(JOB.format(modules=modules, binds="\n".join(bound[:-1])))
    boot(lab, job, "lab.first", ["-rtc", f"base={LOST}", *CABLE])


def _left_behind(directory: Path) -> None:
    """Make the spool of a node that knew the time."""
    clock = FakeClock(utc_ms=built_ms() + KNEW_MS)
    directory.mkdir(parents=True)
    spool = opened(directory, clock)
    feed(spool, clock, 10)
    spool.close()
