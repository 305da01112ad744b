"""Build Debian packages of edgenode: all four, or those that are asked for."""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
from pathlib import Path

from deploy.deb import BuildError
from deploy.deb.build import build, source_date
from deploy.deb.metadata import ROOT
from deploy.deb.target import MACHINES, RELEASES, targets


def main() -> int:
    """Build, and print each file with its SHA-256."""
    parser = argparse.ArgumentParser(prog="python -m deploy.deb", description=__doc__)
    parser.add_argument("--debian", type=int, choices=RELEASES, action="append", help="a release")
    parser.add_argument("--arch", choices=MACHINES, action="append", help="a processor")
    parser.add_argument("--output", type=Path, default=ROOT / "build/deb", metavar="DIRECTORY")
    parser.add_argument(
        "--level", type=int, default=6, choices=range(10), metavar="N", help="of xz; 0 is quick"
    )
    args = parser.parse_args()
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    cache = Path(home).expanduser() / "edgenode-deb"
    wanted = targets(tuple(args.debian or RELEASES), tuple(args.arch or MACHINES))
    try:
        epoch = source_date(os.environ)
        for target in wanted:
            package = build(target, args.output, cache, epoch, args.level)
            digest = hashlib.sha256(package.read_bytes()).hexdigest()
            print(f"{digest}  {package}", flush=True)
    except BuildError as exc:
        print(f"python -m deploy.deb: {exc}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
