"""Who follows the page: types its commands, in the office and at the pole, and carries things."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from tests.install.machine import TRIAL, Machine
from tests.install.page import Step

HOST: Final = re.compile(r"maintainer@edgenode-([0-9a-f]+)")
ANSWERS: Final = "B-17\nphoto 12\n"  # typed at the pole: who, and which photo
PATIENCE_S: Final = 30.0  # for what the page says to wait and ask again


class Hands:
    """Does steps."""

    def __init__(self, office: Path, node: Machine, card: str, instead: Mapping[str, str]) -> None:
        self.office, self.node, self.card = office, node, card
        self._instead = instead
        self._at_pole = False  # logged in there
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}:/usr/sbin:/sbin"
        self._environment = {**os.environ, "PATH": path}

    def here(self, text: str) -> str:
        """Return a text with the places of this test in place of the page's."""
        for theirs, ours in self._instead.items():
            text = re.sub(theirs, ours, text)
        return text

    def do(
        self, step: Step, *, patient: bool = False, seen: Callable[[], str] = lambda: ""
    ) -> None:
        """Type the commands of a step: each leaves with 0, and together they say what is promised.

        `patient` asks again while they do not; `seen` returns what somebody sees elsewhere then.
        """
        wanted = list(map(self.here, step.promised))
        deadline = time.monotonic() + (PATIENCE_S if patient else 0)
        ways = [one for one in step.commands if re.match("ssh |scp ", one)]
        typed = [self.here(one) for one in step.commands if one not in ways]
        for command in ways:
            self._travel(command)
        while True:
            done = [self.typed(command) for command in typed]
            said = "\n".join([one.stdout + one.stderr for one in done] + [seen()])
            codes = [one.returncode for one in done]
            missing = [words for words in wanted if words not in said]
            if not any(codes) and not missing:
                return
            assert time.monotonic() < deadline, f"{step.title}: {codes} {missing}\n{said}"
            time.sleep(0.2)

    def fails(self, step: Step, command: str) -> None:
        """Type a command of a step, or one like it, and be told what the page has for that case."""
        done = self.typed(command)
        said = done.stdout + done.stderr
        assert any(words in said for words in step.feared), f"{step.feared}\n{said}"

    def typed(self, command: str) -> subprocess.CompletedProcess[str]:
        """Type one command where these hands are."""
        service = re.fullmatch(r"sudo systemctl (\w+) (\S+)", command)
        if service:
            self.node.systemctl(service[1], service[2])
            return subprocess.CompletedProcess(command, 0, "", "")
        if not self._at_pole:
            return subprocess.run(
                ["sh", "-eu", "-c", command.removeprefix("sudo ")],
                cwd=self.office, env=self._environment, capture_output=True, text=True,
                input=f"{Path(self.card).name}\n", timeout=60, check=False,
            )  # fmt: skip
        ours, theirs = os.openpty()  # questions are asked at a terminal
        try:
            os.write(ours, ANSWERS.encode())
            return self.node.ran(command, theirs)
        finally:
            os.close(ours)
            os.close(theirs)

    def log_in(self) -> None:
        """Sit down at the node."""
        self._at_pole = True

    def _travel(self, command: str) -> None:
        """Log in, or fetch files and be back; the name and the key are those of the node."""
        hosts = set(HOST.findall(command))
        name = self.node.ran("hostname").stdout.strip()
        assert {f"edgenode-{host}" for host in hosts} == {name}
        key = (self.office / "installer.pub").read_text().strip()
        home = "/home/maintainer/.ssh"
        assert key in self.node.ran(f"cat {home}/authorized_keys").stdout.splitlines()
        assert self.node.ran(f"stat -c %a,%U {home}").stdout == "700,maintainer\n"
        self._at_pole = command.startswith("ssh ")
        if not self._at_pole:
            for word in shlex.split(command)[1:-1]:
                self._fetch(word.partition(":")[2])

    def _fetch(self, path: str) -> None:
        """Copy a file with the rights of the maintainer."""
        copy = self.node.trial / Path(path).name
        copy.touch()
        copy.chmod(0o666)
        done = self.node.ran(f"cp {shlex.quote(path)} {TRIAL}/{copy.name}")
        assert done.returncode == 0, done.stderr
        shutil.copy(copy, self.office)
