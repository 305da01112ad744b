"""Take the node.json that lies on the boot partition: what edgenode-firstboot.service runs.

Every start runs it. Where there is no document it puts the settings of the last one in place.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from edgenode.cli import NOT_WELL, WELL

BOOT = "/boot/firmware"
BOOTED = Path("/run/systemd/system")  # sd_booted(3)
WAIT_S = 20


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--boot", type=Path, default=Path(BOOT), metavar="DIRECTORY",
        help=f"where node.json and city.pub lie; default: {BOOT}",
    )  # fmt: skip
    parser.add_argument(
        "--root", type=Path, default=Path("/"), metavar="DIRECTORY",
        help="prepare another root file system than /, such as that of a mounted card",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Return 0 where a document was taken or there is none, 1 where it was refused."""
    import sys  # noqa: PLC0415 - `--help` shall not pay for it

    from edgenode.errors import ProvisionError  # noqa: PLC0415 - the same
    from edgenode.provision.firstboot import firstboot  # noqa: PLC0415 - the same
    from edgenode.provision.places import places_below  # noqa: PLC0415 - the same
    from edgenode.provision.renew import now_utc  # noqa: PLC0415 - the same

    places = places_below(args.root, args.boot)
    try:
        taken = firstboot(places, now_utc())
    except ProvisionError as exc:  # wrong data at the pole is no wrong usage of this verb
        print(f"{args.boot}/node.json REFUSED; nothing was changed:", file=sys.stderr)
        for problem in exc.problems:
            print(f"  {problem}", file=sys.stderr)
        return NOT_WELL
    for line in taken.lines:
        print(line)
    if taken.fresh and args.root == Path("/"):
        _use()
    if not taken.lines:
        print(f"no node.json in {args.boot}; the node goes on as it is")
    return WELL


def _use() -> None:
    """Let a system that runs already use the document: a new start of the daemon, and enrolment.

    Nobody waits for either, since both come after the unit of this verb. Where the daemon does not
    run yet it is left alone.
    """
    import contextlib  # noqa: PLC0415 - the same
    import shutil  # noqa: PLC0415 - the same
    import subprocess  # noqa: PLC0415 - the same

    systemctl = shutil.which("systemctl")
    if systemctl is None or not BOOTED.exists():
        return
    for work in (["try-restart", "edgenode.service"], ["restart", "edgenode-renew.service"]):
        with contextlib.suppress(subprocess.TimeoutExpired):  # the next start uses it all the same
            subprocess.run([systemctl, "--no-block", *work], check=False, timeout=WAIT_S)
