"""The bill of materials: CycloneDX 1.5 JSON (https://cyclonedx.org/docs/1.5/json/).

One component for each Debian package in the image, installed or taken apart, and for each wheel
that the edgenode package carries, with package URL, licences as their own files tell, and hash.
"""

from __future__ import annotations

import email
import hashlib
import json
import re
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .packages import Package

Component = dict[str, Any]
_LICENCE = re.compile(r"^License: *(\S.*)$", re.MULTILINE)
_MOST_LICENCES = 40  # of one package; the kernel's file names dozens


def bill(
    root: Path, packages: Iterable[Package], deb: Mapping[str, str], suite: str, date: int
) -> str:
    """Return the bill as JSON.

    `deb` is the edgenode package: its Package, Version and SHA256.
    """
    components = [_debian(root, package, suite) for package in sorted(set(packages))]
    components.append(_edgenode(deb))
    components += _wheels(root)
    names = "\n".join(component["bom-ref"] for component in components)
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, names)}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(date, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {
                "type": "firmware",
                "bom-ref": "image",
                "name": "edgenode-image",
                "version": deb["Version"],
            },
        },
        "components": components,
        "dependencies": [{"ref": "image", "dependsOn": [each["bom-ref"] for each in components]}],
    }
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _debian(root: Path, package: Package, suite: str) -> Component:
    version = quote(package.version, safe=".+~-")
    where = f"arch={package.architecture}&distro={suite}"
    purl = f"pkg:deb/debian/{quote(package.name, safe='.+-')}@{version}?{where}"
    component = _component(package.name, package.version, purl, _licences(root, package.name))
    component["hashes"] = [{"alg": "SHA-256", "content": package.sha256}]
    return component


def _edgenode(deb: Mapping[str, str]) -> Component:
    purl = f"pkg:deb/edgenode/edgenode@{quote(deb['Version'], safe='.+~-')}?arch=arm64"
    component = _component("edgenode", deb["Version"], purl, ["Apache-2.0"])
    component["type"] = "application"
    component["hashes"] = [{"alg": "SHA-256", "content": deb["SHA256"]}]
    return component


def _wheels(root: Path) -> list[Component]:
    """Return the wheels below /usr/lib/edgenode.

    The hash is that of a wheel's RECORD, which has one for each of its files (PyPA, "Recording
    installed projects"); that of the wheel itself is in the lock of the edgenode package.
    """
    found = []
    for metadata in sorted((root / "usr/lib/edgenode").rglob("*.dist-info/METADATA")):
        fields = email.message_from_string(metadata.read_text("utf-8"))
        name, version = fields["Name"], fields["Version"]
        if name == "edgenode":
            continue
        purl = f"pkg:pypi/{re.sub(r'[-_.]+', '-', name).lower()}@{version}"
        component = _component(name, version, purl, _licence(fields))
        record = hashlib.sha256(metadata.with_name("RECORD").read_bytes()).hexdigest()
        component["hashes"] = [{"alg": "SHA-256", "content": record}]
        component["properties"] = [{"name": "edgenode:hashed", "value": "RECORD"}]
        found.append(component)
    return found


def _licence(fields: Message) -> list[str]:
    """Return what a wheel says of its licence (PyPA, "Core metadata"): expression, text, class."""
    said = fields["License-Expression"] or fields["License"] or ""
    classified = [
        line.rsplit(" :: ", 1)[1]
        for line in fields.get_all("Classifier", [])
        if line.startswith("License :: ")
    ]
    return said.strip().splitlines()[:1] or classified


def _component(name: str, version: str, purl: str, licences: Iterable[str]) -> Component:
    component: Component = {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "purl": purl,
    }
    names = sorted(set(licences))[:_MOST_LICENCES]
    if names:
        component["licenses"] = [{"license": {"name": each}} for each in names]
    return component


def _licences(root: Path, name: str) -> list[str]:
    """Return the short names in the package's copyright file where it follows DEP-5, else none."""
    path = root / "usr/share/doc" / name / "copyright"
    try:
        return _LICENCE.findall(path.read_text("utf-8", "replace"))
    except OSError:
        return []
