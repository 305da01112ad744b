"""What is in the packages. Needs the Debian package dpkg."""

import gzip
import hashlib
import json
import random
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from sensirion_gas_index_algorithm.nox_algorithm import NoxAlgorithm
from sensirion_gas_index_algorithm.voc_algorithm import VocAlgorithm

from edgenode.cli import VERBS
from tests.support.packages import ROOT, built, copied, extracted, listed, told

UNITS = "/usr/lib/systemd/system"
CODE = "/usr/lib/edgenode"
GAS = """
import json, sys
sys.path.insert(0, sys.argv[1])
from sensirion_gas_index_algorithm.nox_algorithm import NoxAlgorithm
from sensirion_gas_index_algorithm.voc_algorithm import VocAlgorithm
ticks, voc, nox = json.load(sys.stdin), VocAlgorithm(), NoxAlgorithm()
print(json.dumps({
    "voc": [voc.process(tick) for tick in ticks], "nox": [nox.process(tick) for tick in ticks],
    "tuning": voc.get_tuning_parameters(),
}))
"""
IMPORTS = """
import importlib, json, pkgutil, sys
sys.path.insert(0, sys.argv[1])
missing, imported = [], 0
for package in ("edgenode", "drivers"):
    path = importlib.import_module(package).__path__
    for module in pkgutil.walk_packages(path, f"{package}."):
        if not module.name.endswith("__main__"):
            try:
                importlib.import_module(module.name)
                imported += 1
            except ModuleNotFoundError as exc:
                missing.append(exc.name.partition(".")[0])
import cryptography.x509, fpdf, gpiozero, rich.live, segno, serial, smbus2
print(json.dumps({"missing": missing, "imported": imported}))
"""
KINDS = ("service", "socket", "timer")

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def tree(packages: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return extracted(packages["amd64"], tmp_path_factory.mktemp("tree"))


@pytest.mark.root
def test_another_user_at_another_path_with_another_umask_zone_and_locale_gets_the_same_bytes(
    packages: dict[str, Path], sources: Path, tmp_path: Path
) -> None:
    """He may read everything, as the first one may, since environments of tests are private."""
    assert shutil.which("setpriv"), "install the Debian package util-linux"
    tmp_path.chmod(0o755)
    output = tmp_path / "output"
    output.mkdir(mode=0o777)
    output.chmod(0o777)
    as_other = (
        "setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups",
        "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search",
        "sh", "-c", 'umask 077; exec "$@"', "sh",
    )  # fmt: skip
    again = built(
        copied(sources, tmp_path / "elsewhere"), output, *as_other,
        TZ="Asia/Seoul", LC_ALL="C", TMPDIR="/var/tmp",  # noqa: S108
    )  # fmt: skip
    for architecture, package in packages.items():
        first = hashlib.sha256(package.read_bytes()).hexdigest()
        assert hashlib.sha256(again[architecture].read_bytes()).hexdigest() == first


def test_every_file_is_roots_and_nobody_else_can_write_it(packages: dict[str, Path]) -> None:
    for package in packages.values():
        rows = listed(package)
        assert {owner for _, owner, _ in rows.values()} == {"root/root"}
        assert len({date for _, _, date in rows.values()}) == 1
        modes = {path: mode for path, (mode, _, _) in rows.items()}
        assert set(modes.values()) == {"drwxr-xr-x", "-rwxr-xr-x", "-rw-r--r--"}
        programs = {path for path, mode in modes.items() if mode == "-rwxr-xr-x"}
        assert all(path.startswith(("/usr/bin/", "/usr/libexec/edgenode/")) for path in programs)
        assert {"/usr/bin/edgenode", "/usr/libexec/edgenode/first-configuration"} <= programs


def test_everything_that_a_node_needs_is_there(packages: dict[str, Path]) -> None:
    files = set(listed(packages["arm64"]))
    units = {
        path.name
        for path in (ROOT / "systemd").glob("*.*")
        if path.suffix in {".service", ".socket", ".timer"}
    }
    assert {f"{UNITS}/{name}" for name in units} <= files
    assert {
        "/usr/lib/sysusers.d/edgenode.conf",
        "/usr/lib/tmpfiles.d/edgenode.conf",
        "/usr/lib/udev/rules.d/60-edgenode.rules",
        "/usr/share/bash-completion/completions/edgenode",
        "/usr/share/zsh/vendor-completions/_edgenode",
        "/usr/share/fish/vendor_completions.d/edgenode.fish",
        "/usr/share/man/man1/edgenode.1.gz",
        "/usr/share/doc/edgenode/README.md",
        "/usr/share/doc/edgenode/changelog.gz",
        "/usr/share/doc/edgenode/copyright",
        "/usr/share/doc/edgenode/examples/edgenode.toml",
        f"{CODE}/drivers/bme280.py",
    } <= files
    for vendored in ("cryptography", "rfc8785", "segno", "fpdf", "msgspec", "cbor2"):
        assert f"{CODE}/{vendored}/__init__.py" in files or f"{CODE}/{vendored}/" in files
    assert not [path for path in files if "__pycache__" in path or path.endswith(".pyc")]
    assert not [path for path in files if re.search(r"/(amqtt|psycopg|pytest)/", path)]


def test_each_package_has_the_libraries_of_its_own_processor(packages: dict[str, Path]) -> None:
    for architecture, machine in (("amd64", "x86_64"), ("arm64", "aarch64")):
        binaries = [p for p in listed(packages[architecture]) if ".cpython-" in p]
        assert binaries
        assert all(f".cpython-311-{machine}-linux-gnu.so" in path for path in binaries)


def test_it_goes_with_the_python_that_its_libraries_were_built_for(
    packages: dict[str, Path],
) -> None:
    needs = told(packages["arm64"], "Depends")
    assert "python3 (>= 3.11), python3 (<< 3.12)" in needs
    assert told(packages["arm64"], "Version").endswith("~deb12")


def test_the_licence_of_every_vendored_library_is_told(tree: Path) -> None:
    text = (tree / "usr/share/doc/edgenode/copyright").read_text()
    for information in (tree / CODE[1:]).glob("*.dist-info"):
        if not information.name.startswith("edgenode-"):
            assert f"{CODE[1:]}/{information.name}/*" in text
    paragraphs = [part for part in text.split("\n\n") if part.startswith("Files:")]
    assert all("\nCopyright: " in part and "\nLicense: " in part for part in paragraphs)


def test_the_manual_names_every_verb(tree: Path) -> None:
    page = gzip.decompress((tree / "usr/share/man/man1/edgenode.1.gz").read_bytes()).decode()
    assert all(f".SS edgenode {verb}" in page for verb in VERBS)
    assert "\\fB\\-\\-probe\\fR" in page
    assert "export" in page


def test_the_gas_index_of_the_package_is_that_of_the_library_as_pip_builds_it(tree: Path) -> None:
    ticks = random.Random(6).choices(range(20_000, 60_000), k=3_000)
    voc, nox = VocAlgorithm(), NoxAlgorithm()
    said = subprocess.run(
        ["/usr/bin/python3", "-IS", "-c", GAS, str(tree / CODE[1:])],
        input=json.dumps(ticks), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(said.stdout) == {
        "voc": [voc.process(tick) for tick in ticks],
        "nox": [nox.process(tick) for tick in ticks],
        "tuning": list(voc.get_tuning_parameters()),
    }


def test_every_module_of_ours_runs_on_what_the_package_holds(tree: Path) -> None:
    """But for those of the demo and of PostgreSQL, which no node has."""
    words = ["/usr/bin/python3", "-IS", "-c", IMPORTS, str(tree / CODE[1:])]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["imported"] > 500
    assert set(found["missing"]) <= {"psycopg", "amqtt"}


def test_a_shell_takes_the_completion(tree: Path) -> None:
    script = tree / "usr/share/bash-completion/completions/edgenode"
    words = ["bash", "-n", str(script)]
    assert subprocess.run(words, capture_output=True, check=False).stderr == b""
