"""A certificate authority for an afternoon, made with openssl."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Pair:
    """A certificate and its key."""

    certificate: Path
    key: Path


class Authority:
    """Issues certificates below `directory`; its own is `certificate`."""

    def __init__(self, directory: Path) -> None:
        assert shutil.which("openssl"), "openssl is missing: apt install openssl"
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._key = directory / "ca.key"
        self.certificate = directory / "ca.crt"
        self._openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-days", "1", "-subj", f"/CN=Test authority {directory.name}",
            "-keyout", str(self._key), "-out", str(self.certificate),
        )  # fmt: skip

    def issue(self, name: str, alternative: str = "") -> Pair:
        """Return a new pair for `name`; `alternative` is a subjectAltName such as DNS:localhost."""
        key, request = self._directory / f"{name}.key", self._directory / f"{name}.csr"
        certificate, extensions = self._directory / f"{name}.crt", self._directory / f"{name}.ext"
        extensions.write_text(f"subjectAltName={alternative}\n" if alternative else "")
        self._openssl(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", f"/CN={name}", "-keyout", str(key), "-out", str(request),
        )  # fmt: skip
        self._openssl(
            "x509", "-req", "-days", "1", "-in", str(request), "-CA", str(self.certificate),
            "-CAkey", str(self._key), "-CAcreateserial", "-extfile", str(extensions),
            "-out", str(certificate),
        )  # fmt: skip
        return Pair(certificate, key)

    def _openssl(self, *args: str) -> None:
        subprocess.run(["openssl", *args], check=True, capture_output=True, cwd=self._directory)
