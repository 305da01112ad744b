"""A node without its board: a root of its own over that of this machine, and what its units run.

Everything lies where it lies on a node, so that what a page says can be typed as it stands. Needs
root. Mounts and the name of the machine end with the process that holds them.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.flash.images import MIB, PLACES
from tests.support.daemons import Manager
from tests.support.disks import run
from tests.support.ports import until
from tests.systemd.container import LAUNCHER, ROOT, UNITS, binds, furnish

TRIAL: Final = "/opt/trial"  # seen from both sides
# The users are those of the image (deploy/image/root.py) and of the package.
SETUP: Final = r"""
set -eu
tree=$1 layers=$2 sysusers=$3 tmpfiles=$4
shift 4
mount --make-rprivate /
mount -t overlay overlay -o "lowerdir=/,upperdir=$layers/upper,workdir=$layers/work" "$tree"
mount -t tmpfs -o mode=755 run "$tree/run"
mount -t tmpfs -o mode=755 dev "$tree/dev"
for device in null zero full random urandom; do
  : >"$tree/dev/$device"
  mount --bind "/dev/$device" "$tree/dev/$device"
done
mount --rbind /proc "$tree/proc"
mount --bind /sys "$tree/sys"
mount -o remount,bind,ro "$tree/sys"
while [ $# -gt 0 ]; do
  mkdir -p "$tree$2"
  mount --bind "$1" "$tree$2"
  shift 2
done
systemd-sysusers --root="$tree" "$sysusers"
useradd --root "$tree" --user-group --create-home --shell /bin/sh --password '*' maintainer
usermod --root "$tree" --append --groups edgenode maintainer
systemd-tmpfiles --root="$tree" --create "$tmpfiles"
mkdir -p "$tree/boot/firmware"
exec chroot "$tree" sh -c 'echo there; read -r _ || :'
"""


class Machine:
    """The node; `root` is its file system, seen from outside while it is switched on or off."""

    def __init__(self, holder: int, trial: Path) -> None:
        self.holder, self.trial = holder, trial
        self.root = Path(f"/proc/{holder}/root")
        self._daemon: subprocess.Popen[bytes] | None = None

    def _within(self, words: list[str], user: str) -> list[str]:
        """Return a command line that runs there with the rights of a user of that machine."""
        enter = ["nsenter", f"--target={self.holder}", "--mount", "--uts", "--root", "--wd"]
        rights = [f"--reuid={user}", f"--regid={user}", "--init-groups", "--reset-env"]
        return [*enter, "setpriv", *rights, "--", *words]

    def ran(self, command: str, stdin: int | None = None) -> subprocess.CompletedProcess[str]:
        """Type a command as the maintainer, in his home; `sudo` makes it root's."""
        asked = command.removeprefix("sudo ")
        user = "maintainer" if asked == command else "root"
        words = self._within(["sh", "-c", f"cd /home/maintainer && {asked}"], user)
        source = subprocess.DEVNULL if stdin is None else stdin
        return subprocess.run(
            words, stdin=source, capture_output=True, text=True, timeout=90, check=False
        )

    def insert(self, card: str) -> None:
        """Put the card in: what is on its first partition is what the node finds there."""
        there = self.root / "boot/firmware"
        run("mcopy", "-n", "-i", f"{card}@@{PLACES[1][0] * MIB}", "::*", there)

    def power_on(self) -> None:
        """Do what the units do at a start, in their order; enrolment needs the network to be up."""
        self.started("edgenode-firstboot")
        self.started("edgenode")
        self.started("edgenode-renew")

    def started(self, unit: str) -> None:
        """Run what a unit runs, as its user; the daemon goes on."""
        text = (UNITS / f"{unit}.service").read_text(encoding="utf-8")
        words = shlex.split(_value(text, "ExecStart"))
        user = _value(text, "User") or "root"
        if unit != "edgenode":
            done = subprocess.run(
                self._within(words, user), capture_output=True, text=True, timeout=60, check=False
            )
            assert done.returncode == 0, done.stdout + done.stderr
            return
        run("nsenter", f"--target={self.holder}", "--mount", "--root", "--wd",
            "install", "-d", "-m", "750", "-o", user, "-g", user, "/run/edgenode")  # fmt: skip
        self._notified(self._within(["env", f"NOTIFY_SOCKET={TRIAL}/notify", *words], user))

    def _notified(self, words: list[str]) -> None:
        """Start the daemon, and wait as systemd does until it says that it is ready."""
        (self.trial / "notify").unlink(missing_ok=True)
        manager = Manager(self.trial)
        manager.path.chmod(0o666)
        with (self.trial / "daemon.log").open("ab") as log:
            self._daemon = subprocess.Popen(words, stdin=subprocess.DEVNULL, stderr=log)
        try:
            until(lambda: any("READY=1" in said for said in manager.heard), "the daemon is ready")
        finally:
            manager.close()

    def stopped(self) -> None:
        """Stop the daemon as systemd does."""
        if self._daemon is not None:
            self._daemon.terminate()
            self._daemon.wait(15)
            self._daemon = None

    def systemctl(self, verb: str, unit: str) -> None:
        """Do what systemd would."""
        if verb != "start":
            assert unit == "edgenode"
            self.stopped()
        if verb != "stop":
            self.started(unit)


def _value(unit: str, key: str) -> str:
    """Return the value of a key of a unit; empty where it is not there."""
    found = re.search(rf"^{key}=(.*)$", unit, re.MULTILINE)
    return found[1] if found else ""


@contextmanager
def machine(work: Path) -> Iterator[Machine]:
    """Yield a node that is switched off, with the software in its place; `work` is empty."""
    layers, tree, trial = work / "layers", work / "tree", work / "trial"
    for path in (tree, trial, layers / "upper", layers / "work"):
        path.mkdir(parents=True)
    furnish(layers / "upper", {"usr/bin/edgenode": LAUNCHER})
    bound = [word for pair in binds(trial).items() for word in pair]
    package = [str(UNITS / "edgenode.sysusers"), str(ROOT / "deploy/deb/debian/tmpfiles.conf")]
    holder = subprocess.Popen(
        ["unshare", "--mount", "--uts", "sh", "-c", SETUP, "sh", str(tree), str(layers),
         *package, *bound],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert holder.stdout
    assert holder.stderr
    made: Machine | None = None
    try:
        assert holder.stdout.readline() == "there\n", holder.stderr.read()
        made = Machine(holder.pid, trial)
        yield made
    finally:
        if made is not None:
            made.stopped()
        holder.communicate("\n", timeout=10)
