"""What the kernel says of its own clock: asked, or read where the sandbox refuses the question."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import pytest

from edgenode.clock import SystemClock
from edgenode.reading import ClockSource
from edgenode.timex import STATEMENT_MS, Kernel, parsed, stated

ANSWER = """\
    mode:         0
-o  offset:       {offset} us
-f  freq.adjust:  813456 (65536 = 1ppm)
    maxerror:     {maxerror}
    esterror:     0
    status:       {status} (PLL | NANO)
-p  timeconstant: 7
    precision:    1 us
    tolerance:    32768000
-t  tick:         10000 us
    time.tv_sec:  1795000000
    time.tv_usec: {fraction}
    return value: 0 (clock synchronized)
"""
PLL, NANO, UNSYNC = 0x0001, 0x2000, 0x0040
BOOT_MS, UTC_MS = 500_120, 1_795_000_000_250


def answer(status: int = PLL, maxerror: int = 12_345, fraction: int = 250_999) -> str:
    """Return a statement of the moment BOOT_MS, UTC_MS."""
    told = ANSWER.format(offset=-17, maxerror=maxerror, status=status, fraction=fraction)
    return f"500.12\n{told}"


class Refused(Kernel):
    """A kernel under ProtectClock=."""

    def _ask(self, timex: object) -> int:
        return -1


def refused(tmp_path: Path, text: str) -> Kernel:
    (tmp_path / "state").write_text(text, encoding="ascii")
    return Refused(tmp_path / "state")


@pytest.mark.parametrize(("status", "fraction"), [(PLL, 250_999), (PLL | NANO, 250_999_999)])
def test_what_busybox_prints_is_read_in_microseconds_and_in_nanoseconds(
    status: int, fraction: int
) -> None:
    assert parsed(answer(status, 12_345, fraction)) == (BOOT_MS, UTC_MS, status, 12_345)


@pytest.mark.parametrize(
    "text", ["", "500.12\n", "never\n" + ANSWER, answer().replace("maxerror", "error"), "\xff\n"]
)
def test_what_is_no_statement_vouches_for_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "state").write_text(text, encoding="latin-1")
    assert stated(tmp_path / "state") is None
    assert stated(tmp_path / "nobody wrote it") is None


def test_where_the_question_is_refused_the_statement_answers(tmp_path: Path) -> None:
    assert refused(tmp_path, answer()).error_ms(BOOT_MS, UTC_MS) == 12 + 1


def test_the_bound_grows_as_the_kernels_own_does(tmp_path: Path) -> None:
    later = 40_000
    kernel = refused(tmp_path, answer())
    assert kernel.error_ms(BOOT_MS + later, UTC_MS + later) == 13 + 20  # 500 ppm


def test_a_step_since_the_statement_is_part_of_what_may_be_wrong(tmp_path: Path) -> None:
    kernel = refused(tmp_path, answer())
    assert kernel.error_ms(BOOT_MS, UTC_MS + 5_000) == 13 + 5_000
    assert kernel.error_ms(BOOT_MS, UTC_MS - 5_000) == 13 + 5_000


def test_an_undisciplined_clock_and_an_old_statement_have_nobody_to_vouch(tmp_path: Path) -> None:
    assert refused(tmp_path, answer(PLL | UNSYNC)).error_ms(BOOT_MS, UTC_MS) is None
    kernel = refused(tmp_path, answer())
    late = STATEMENT_MS + 1
    assert kernel.error_ms(BOOT_MS + STATEMENT_MS, UTC_MS + STATEMENT_MS) is not None
    assert kernel.error_ms(BOOT_MS + late, UTC_MS + late) is None
    assert kernel.error_ms(BOOT_MS - 1, UTC_MS - 1) is None


def test_where_the_kernel_answers_the_statement_is_not_looked_at(tmp_path: Path) -> None:
    class Undisciplined(Kernel):
        def _ask(self, timex: object) -> int:
            timex.status = UNSYNC  # type: ignore[attr-defined]
            return 5

    (tmp_path / "state").write_text(answer(), encoding="ascii")
    assert Undisciplined(tmp_path / "state").error_ms(BOOT_MS, UTC_MS) is None


def test_this_kernel_answers_as_busybox_prints(tmp_path: Path) -> None:
    busybox = shutil.which("busybox")
    assert busybox, "install the Debian package busybox"
    done = subprocess.run([busybox, "adjtimex"], capture_output=True, text=True, check=False)
    uptime = Path("/proc/uptime").read_text(encoding="ascii").split()[0]
    asked = Kernel(tmp_path / "none")
    boot_ms, utc_ms = time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 10**6, time.time_ns() // 10**6
    read = refused(tmp_path, f"{uptime}\n{done.stdout}")
    said, told = asked.error_ms(boot_ms, utc_ms), read.error_ms(boot_ms, utc_ms)
    assert (said is None) is (told is None)
    assert said is None or told is None or said <= told <= said + 2_000


def test_nobody_vouches_for_a_clock_that_the_boot_stepped_forward(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    clock = SystemClock(manual_err_ms=1_000)
    clock._kernel = Refused(tmp_path / "none")
    assert clock.sync() == (ClockSource.MANUAL, 1_000)
    monkeypatch.setattr("edgenode.clock.forwarded", lambda: True)
    assert clock.sync() == (ClockSource.NONE, 0)
    clock._kernel = refused(tmp_path, answer())
    monkeypatch.setattr(clock, "boot_ms", lambda: BOOT_MS)
    monkeypatch.setattr(clock, "utc_ms", lambda: UTC_MS)
    assert clock.sync() == (ClockSource.NTP, 13)
