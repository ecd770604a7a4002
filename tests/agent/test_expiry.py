"""How long certificates last is told before it is too late."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from components.node.agent.expiry import days_left
from components.node.agent.metrics import Metrics
from components.node.certificates import LIFE, KeyPair, Request, authority, issue
from tests.agent.authorities import authority_secret


@pytest.fixture(scope="module")
def issuer() -> KeyPair:
    return authority(authority_secret("ca"), "ca")


def put(root: Path, place: str, issuer: KeyPair, age: timedelta) -> None:
    """A leaf of this age, with its key as the kubelet has it."""
    leaf = issue(issuer, Request(common_name="leaf"), datetime.now(UTC) - age)
    path = root / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(leaf.certificate + leaf.key)


@pytest.mark.parametrize(
    "oldest",
    ["etc/kubernetes/pki/apiserver.crt", "etc/kubernetes/pki/etcd/ca.crt", "etc/kube-ha/etcd/peer.crt",
     "var/lib/kubelet/pki/kubelet-client-current.pem"],
)  # fmt: skip
def test_the_certificate_that_ends_first_counts_wherever_it_is(tmp_path: Path, issuer: KeyPair, oldest: str) -> None:
    put(tmp_path, "etc/kubernetes/pki/front-proxy-client.crt", issuer, timedelta(days=10))
    put(tmp_path, oldest, issuer, timedelta(days=350))
    metrics = Metrics()
    left = days_left(tmp_path, metrics)
    assert left == pytest.approx(LIFE.days - 350, abs=0.1)
    assert f'certificate_end_timestamp_seconds{{file="{oldest}"}}' in metrics.render()


def test_a_machine_without_certificates_says_nothing(tmp_path: Path, issuer: KeyPair) -> None:
    assert days_left(tmp_path, Metrics()) is None


def test_a_certificate_that_is_being_written_is_not_an_error(tmp_path: Path, issuer: KeyPair) -> None:
    put(tmp_path, "etc/kube-ha/etcd/peer.crt", issuer, timedelta(days=65))
    (tmp_path / "etc/kube-ha/etcd/server.crt").write_bytes(b"")
    assert days_left(tmp_path, Metrics()) == pytest.approx(LIFE.days - 65, abs=0.1)
