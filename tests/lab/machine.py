"""The machine of the lab: QEMU without virtualisation, Debian's kernel, and this machine's root.

The guest sees the root of the host read-only, under a file system in memory, and the directory
of the job at /run/lab, which is the only way back.
"""

from __future__ import annotations

import compileall
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
PREPARE = CHECKOUT / ".ci/lab"
GUEST_BUDGET_S = 300.0  # 90 as a rule; a busy host takes longer
MEMORY = "1024M"
JOB = """\
#!/bin/sh
# What the kernel wants to load by itself it finds among the modules of the lab.
mount --bind {modules} /lib/modules
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
modprobe configfs && mount -t configfs none /sys/kernel/config
cd {checkout} && {python} -m tests.lab.guest /run/lab >/run/lab/log 2>&1
echo $? >/run/lab/exit
dmesg >/run/lab/dmesg
"""


def prepared() -> Path:
    """Return the directory with kernel, modules and initramfs; names what is missing."""
    done = subprocess.run([PREPARE], check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"{PREPARE} failed:\n{done.stderr}"
    return Path(done.stdout.splitlines()[-1])


def run(job: Path) -> None:
    """Run the guest's job in a machine that ends with it; `job` is its /run/lab."""
    lab = prepared()
    words = {"modules": lab / "lib/modules", "checkout": CHECKOUT, "python": sys.executable}
    quoted = {name: shlex.quote(str(path)) for name, path in words.items()}
    (job / "job.sh").write_text(JOB.format(**quoted))
    boot(lab, job)


def boot(lab: Path, job: Path, words: str = "", more: Sequence[str] = ()) -> None:
    """Boot a machine that runs job.sh and ends with it, and says 0 in `exit`.

    `words` are for the kernel, `more` for QEMU, whose working directory is the job's.
    """
    for room in ("edgenode", "drivers"):  # here it takes a tenth of the time
        compileall.compile_dir(CHECKOUT / room, quiet=1)
    try:
        subprocess.run(
            [*_qemu(lab, job, words), *more],
            check=False,
            cwd=job,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=(job / "qemu.log").open("wb"),
            timeout=GUEST_BUDGET_S,
        )
    except subprocess.TimeoutExpired:
        raise AssertionError(f"no end after {GUEST_BUDGET_S:.0f} s\n{told(job)}") from None
    assert _text(job / "exit") == "0\n", f"the guest's job failed\n{told(job)}"


def told(job: Path) -> str:
    """Return the ends of all that the machine and its job said."""
    names = ("log", "console", "qemu.log")
    return "\n".join(f"--- {name}\n{_text(job / name)[-4000:]}" for name in names)


def _text(path: Path) -> str:
    return path.read_text("utf-8", "replace") if path.exists() else ""


def _qemu(lab: Path, job: Path, words: str) -> list[str]:
    share = "local,mount_tag={tag},security_model=none,multidevs=remap,path={path}"
    return [
        # One processor: the kernel's interrupt thread then runs before the program that made an
        # edge goes on, so none merges with the next; and a second one makes nothing faster. Its
        # time is counted in instructions, 2 ns each, so that a busy host makes no read late.
        *("qemu-system-x86_64", "-accel", "tcg,thread=single", "-smp", "1"),
        *("-icount", "shift=1,sleep=on"),
        *("-cpu", "max", "-m", MEMORY, "-display", "none", "-no-reboot", "-nodefaults"),
        *("-kernel", str(lab / "vmlinuz"), "-initrd", str(lab / "initramfs.gz")),
        *("-append", f"console=ttyS0 panic=-1 quiet loglevel=4 mitigations=off {words}"),
        *("-serial", f"file:{job / 'console'}"),
        *("-virtfs", share.format(tag="host", path="/") + ",readonly=on"),
        *("-virtfs", share.format(tag="job", path=job)),
    ]
