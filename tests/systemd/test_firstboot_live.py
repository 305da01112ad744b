"""First boot and enrolment under a real systemd: the two units in their sandboxes.

An EST server runs inside, beside them; a script inside looks and reports.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.systemd.container import INTERPRETER, container

NODE = "0a1b2c3d4e5f6071"
CITY = f"""\
#!/bin/sh
{INTERPRETER} - <<'END'
import signal
from pathlib import Path
from tests.support.est_server import EstServer, Rules
from tests.support.provisioned import TOKEN, document, pretty, public_key, sign, CITY_KEY
boot = Path("/boot/firmware")
boot.mkdir(parents=True, exist_ok=True)
with EstServer(Path("/run/est"), rules=Rules({{"{NODE}": TOKEN}})) as server:
    enrol = {{"est": server.url, "trust": server.ca.trust, "token": TOKEN}}
    network = {{"ethernet": {{"dhcp": True}}, "wifi": [{{"ssid": "city", "psk": "correct horse"}}]}}
    made = document(enrol=enrol, network=network)
    (boot / "node.json").write_bytes(pretty(sign(made, CITY_KEY)))
    later = document(serial=8, enrol=None, network=network)
    Path("/run/later.json").write_bytes(pretty(sign(later, CITY_KEY)))
    (boot / "city.pub").write_bytes(public_key())
    Path("/run/ready").touch()
    signal.pause()
END
"""
SCRIPT = r"""#!/bin/bash
say() { echo "\"$1\": $2," >> /opt/trial/result; }
keep() { cp "$1" "/opt/trial/$2"; }
echo '{' > /opt/trial/result
useradd -m maintainer
systemctl stop edgenode edgenode-firstboot edgenode-renew.timer edgenode-renew 2> /dev/null
rm -f /etc/edgenode/edgenode.toml
/usr/libexec/trial/city.sh > /opt/trial/city 2>&1 &
for _ in $(seq 200); do [ -e /run/ready ] && break; sleep 0.05; done
systemctl start edgenode-firstboot; say firstboot $?
keep /boot/firmware/status.txt status
say document "$([ -e /boot/firmware/node.json ] && echo true || echo false)"
say hostname "\"$(hostname)\""
say keys "\"$(stat -c '%U %a' /home/maintainer/.ssh/authorized_keys)\""
connection=/etc/NetworkManager/system-connections/edgenode-wifi-1.nmconnection
say network "\"$(stat -c '%U %a' $connection)\""
say configuration "\"$(stat -c '%U:%G %a' /etc/edgenode/edgenode.toml)\""
systemctl start edgenode-renew; say renew $?
for _ in $(seq 100); do [ -e /etc/edgenode/tls/node.pem ] && break; sleep 0.05; done
for _ in $(seq 100); do
  [ "$(systemctl is-active edgenode-renew)" = inactive ] && break; sleep 0.05
done
say renewed "\"$(systemctl show -P Result edgenode-renew)\""
edgenode certificate --json > /opt/trial/certificate; say certificate $?
say key "\"$(stat -L -c '%U:%G %a' /etc/edgenode/tls/node.key)\""
runuser -u edgenode -- cat /etc/edgenode/tls/node.key > /dev/null; say daemon_reads_key $?
runuser -u edgenode -- cat /etc/edgenode/enrol.json > /dev/null 2>&1; say daemon_reads_token $?
runuser -u maintainer -- edgenode certificate > /dev/null 2>&1; say others_may_not $?
systemctl start edgenode; before=$(systemctl show -P MainPID edgenode)
cp /run/later.json /boot/firmware/node.json
systemctl start edgenode-firstboot; say later $?
for _ in $(seq 100); do
  after=$(systemctl show -P MainPID edgenode)
  [ "$after" != "$before" ] && [ "$(systemctl is-active edgenode)" = active ] && break; sleep 0.1
done
say restarted "$([ "$before" != 0 ] && [ "$after" != "$before" ] && echo true || echo false)"
say again "\"$(systemctl is-active edgenode)\""
keep /boot/firmware/status.txt later_status
echo '{"version": 2}' > /boot/firmware/node.json
systemctl start edgenode-firstboot; say refused $?
keep /boot/firmware/status.txt refusal
edgenode status > /opt/trial/told; say status $?
journalctl -u edgenode-firstboot -u edgenode-renew --no-pager > /opt/trial/journal 2>&1
kill %1
echo '"end": true }' >> /opt/trial/result
"""


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What the script inside the container saw."""
    files = {"usr/libexec/trial/city.sh": CITY}
    with container(tmp_path_factory.mktemp("firstboot"), files, SCRIPT) as left:
        found = json.loads((left / "result").read_text())
        for name in ("status", "later_status", "refusal", "told", "journal"):
            found[name] = (left / name).read_bytes().decode()
        found["document_of_certificate"] = json.loads((left / "certificate").read_text())
        yield found


pytestmark = [pytest.mark.root, pytest.mark.timeout(150)]


def test_a_document_is_taken_in_the_sandbox(trial: dict[str, Any]) -> None:
    assert trial["firstboot"] == 0, trial["journal"]
    assert trial["status"].startswith(f"provisioned as {NODE}")
    assert trial["document"] is False
    assert trial["configuration"] == "root:edgenode 640"
    assert trial["network"] == "root 600"


def test_the_machine_has_its_name_and_the_maintainer_the_keys(trial: dict[str, Any]) -> None:
    assert trial["hostname"] == f"edgenode-{NODE}"
    assert trial["keys"] == "maintainer 600"


def test_the_node_enrols_in_the_sandbox_and_the_unit_ends(trial: dict[str, Any]) -> None:
    assert (trial["renew"], trial["renewed"]) == (0, "success"), trial["journal"]
    assert trial["certificate"] == 0
    found = trial["document_of_certificate"]
    assert (found["subject"], found["next"]) == (f"CN={NODE}", "renew")


def test_the_daemon_reads_the_key_and_nobody_but_root_the_token(trial: dict[str, Any]) -> None:
    assert trial["key"] == "root:edgenode 640"
    assert trial["daemon_reads_key"] == 0
    assert trial["daemon_reads_token"] != 0
    assert trial["others_may_not"] == 1


def test_a_later_document_is_taken_by_a_start_of_the_unit_and_used_by_the_daemon(
    trial: dict[str, Any],
) -> None:
    assert trial["later"] == 0, trial["journal"]
    assert "document 8 of" in trial["later_status"]
    assert (trial["restarted"], trial["again"]) == (True, "active"), trial["journal"]


def test_a_refused_document_fails_the_unit_and_is_told(trial: dict[str, Any]) -> None:
    assert trial["refused"] != 0
    assert trial["refusal"].startswith("REFUSED: ")
    assert "correct horse" not in trial["journal"]
    assert "only-once" not in trial["journal"]
    assert trial["status"] != trial["refusal"]
    assert "REFUSED" in trial["told"]
    assert "REFUSED" in trial["journal"]
