"""The bundle, and etcd's configuration as it is rendered into files."""

import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from components.node.bundle import build
from components.node.etcd import Files, Start, configuration, unit
from components.node.machine import Etcd, Peer

ME = Peer(name="member-1", zone="zone-a", address="10.0.1.11")
FILES = Files(Path("/etc/kube-ha/etcd"))
DATA = Path("/var/lib/etcd/u-1-a")


def options(*, existing: bool = False) -> dict[str, object]:
    etcd = Etcd(members=(ME,), heartbeat_ms=40, election_ms=400)
    rendered: dict[str, object] = json.loads(configuration(ME, etcd, FILES, Start(DATA, "member-1=u", "t", existing)))
    return rendered


def test_the_same_source_gives_the_same_bundle(tmp_path: Path) -> None:
    for name in ("one", "other"):
        package = tmp_path / name / "components" / "node"
        package.mkdir(parents=True)
        (package / "b.py").write_text("b = 1\n")
        (package / "a.py").write_text("a = 1\n")
        os.utime(package / "a.py", (len(name), len(name)))
    one, other = (build(tmp_path / name / "components" / "node", tmp_path / name) for name in ("one", "other"))
    assert one == other
    (tmp_path / "one" / "components" / "node" / "a.py").write_text("a = 2\n")
    assert build(tmp_path / "one" / "components" / "node", tmp_path / "one") != other


def test_the_bundle_runs_where_nothing_else_is(tmp_path: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(build().content)) as archive:
        archive.extractall(tmp_path, filter="data")
    answer = subprocess.run(
        [sys.executable, "-m", "components.node.agent", "--help"], cwd="/", env={"PYTHONPATH": str(tmp_path)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "kube-ha-agent" in answer.stdout


@pytest.mark.parametrize("module", ["hand_over", "shutdown"])
def test_what_a_unit_runs_at_stop_needs_no_library(module: str) -> None:
    code = (
        f"import sys, components.node.agent.{module}; print('pydantic' in sys.modules, 'cryptography' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["False", "False"]


def test_the_loopback_belongs_to_the_passthrough() -> None:
    assert options()["listen-client-urls"] == "https://10.0.1.11:2379"
    assert options()["listen-metrics-urls"] == "http://10.0.1.11:2381,http://127.0.0.1:2381"


def test_clients_and_peers_are_trusted_by_different_authorities() -> None:
    client, peer = options()["client-transport-security"], options()["peer-transport-security"]
    assert isinstance(client, dict)
    assert isinstance(peer, dict)
    assert client["trusted-ca-file"] != peer["trusted-ca-file"]
    assert client["client-cert-auth"] is peer["client-cert-auth"] is True


def test_a_member_that_joins_never_starts_as_a_new_cluster() -> None:
    assert (options(existing=True)["initial-cluster-state"], options()["initial-cluster-state"]) == ("existing", "new")


def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    path = tmp_path / "kube-ha-etcd.service"
    path.write_text(unit(Path("/bin/true"), FILES, Path("/var/lib/etcd"), DATA, "/bin/true"))
    answer = subprocess.run(["systemd-analyze", "verify", str(path)], capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stderr) == (0, "")
