"""Leaf certificates: what they are good for, and when they are renewed."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from components.node.certificates import CertificateError, KeyPair, Request, authority, good, issue, renewal_time
from components.node.etcd import requests
from components.node.machine import Peer
from tests.agent.authorities import authority_secret

NOW = datetime(2026, 11, 22, tzinfo=UTC) + timedelta(days=1)
REQUEST = Request("m", names=("m",), addresses=("10.0.0.1",), server=True)


@pytest.fixture(scope="module")
def issuer() -> KeyPair:
    return authority(authority_secret("ca"), "ca")


def test_a_fresh_certificate_is_good_for_two_thirds_of_its_life(issuer: KeyPair) -> None:
    leaf = issue(issuer, REQUEST, NOW)
    assert good(leaf, issuer.certificate, REQUEST, NOW)
    assert good(leaf, issuer.certificate, REQUEST, NOW + timedelta(days=243))
    assert not good(leaf, issuer.certificate, REQUEST, NOW + timedelta(days=244))
    assert timedelta(days=243) < renewal_time(leaf.certificate) - NOW < timedelta(days=244)


def test_it_is_valid_on_a_machine_whose_clock_is_behind(issuer: KeyPair) -> None:
    parsed = x509.load_pem_x509_certificate(issue(issuer, REQUEST, NOW).certificate)
    assert parsed.not_valid_before_utc == NOW - timedelta(minutes=5)


def test_another_authority_address_or_key_makes_a_new_one(issuer: KeyPair) -> None:
    leaf, other = issue(issuer, REQUEST, NOW), authority(authority_secret("ca"), "ca")
    assert not good(leaf, other.certificate, REQUEST, NOW)
    assert not good(leaf, issuer.certificate, Request("m", names=("m",), addresses=("10.0.0.2",), server=True), NOW)
    assert not good(KeyPair(leaf.certificate, other.key), issuer.certificate, REQUEST, NOW)
    assert not good(KeyPair(b"", b""), issuer.certificate, REQUEST, NOW)


def test_no_leaf_outlives_its_authority(issuer: KeyPair) -> None:
    end = x509.load_pem_x509_certificate(issuer.certificate).not_valid_after_utc
    leaf = issue(issuer, REQUEST, end - timedelta(days=10))
    assert x509.load_pem_x509_certificate(leaf.certificate).not_valid_after_utc == end


def test_members_certificates_carry_their_address_and_servers_the_loopback() -> None:
    wanted = requests(Peer(name="m", zone="z", address="10.0.0.1"))
    assert wanted["server"].addresses == ("10.0.0.1", "127.0.0.1")
    assert (wanted["peer"].server, wanted["peer"].client, wanted["peer"].addresses) == (True, True, ("10.0.0.1",))
    assert (wanted["client"].common_name, wanted["client"].server) == ("kube-ha-agent", False)


@pytest.mark.parametrize("secret", [b"", b"[]", b"{}", b'{"certificate": 1, "key": 2}', b"\xff"])
def test_a_secret_that_is_no_authority_says_what_it_should_be(secret: bytes) -> None:
    with pytest.raises(CertificateError, match=r'secret etcd-peer-ca: expected \{"certificate": PEM, "key": PEM\}'):
        authority(secret, "etcd-peer-ca")
