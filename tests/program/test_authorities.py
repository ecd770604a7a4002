"""A rotation of the certificate authorities: which steps there are, and what the program makes for each."""

import json
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.authority_settings import AuthoritySettings
from components.machine_document import Identity, authorities
from components.node.machine import Role
from components.pki import AUTHORITIES, Pki, PkiArgs
from components.settings import Settings, SettingsError, load
from tests.program.recorder import Outputs, build

BEGINNING = AuthoritySettings()


def step(number: int) -> AuthoritySettings:
    """The settings after so many steps."""
    settings = BEGINNING
    for _ in range(number):
        settings = settings.following
    return settings


def understand(one: AuthoritySettings, other: AuthoritySettings) -> bool:
    """Whether machines of both believe each other's certificates."""
    return one.signing in other.trusted and other.signing in one.trusted


def configured(value: Any) -> Settings:
    return load({"kube-ha:cloud": "local", "kube-ha:scenario": "production", "kube-ha:authorities": json.dumps(value)})


def test_three_steps_lead_to_the_next_generation() -> None:
    said = [(step(number).signing, step(number).trusted) for number in range(5)]
    assert said == [(1, (1,)), (1, (1, 2)), (2, (1, 2)), (2, (2,)), (2, (2, 3))]


@given(st.integers(0, 20), st.integers(0, 20))
def test_what_may_follow_each_other_believes_each_other(before: int, after: int) -> None:
    one, other = step(before), step(after)
    assert other.reachable_from(one) == (abs(before - after) <= 1)
    if other.reachable_from(one):
        assert understand(one, other)


def test_a_step_left_out_would_not_be_understood() -> None:
    assert not understand(step(0), step(2))
    assert not understand(step(1), step(3))


@pytest.mark.parametrize("number", range(4))
def test_every_step_can_be_said_in_a_stack(number: int) -> None:
    wanted = step(number)
    assert configured({"signing": wanted.signing, "trusted": list(wanted.trusted)}).authorities == wanted


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"trusted": []}, r"authorities: trusted \[\]; accepted: one generation, such as \[1\], or two"),
        ({"trusted": [1, 3]}, r"trusted \[1, 3\]; accepted"),
        ({"trusted": [2, 1]}, r"trusted \[2, 1\]; accepted"),
        ({"trusted": [1, 2, 3]}, r"trusted \[1, 2, 3\]; accepted"),
        ({"trusted": [0]}, r"trusted \[0\]; accepted"),
        ({"trusted": [2]}, r"signing 1 is not among trusted \[2\]"),
        ({"signing": 0}, r"authorities\.signing: got 0"),
        ({"generation": 2}, r"authorities\.generation: no such setting; accepted: signing, trusted"),
    ],
)
def test_what_is_no_step_is_refused_with_what_is(value: Any, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        configured(value)


def test_a_managed_control_plane_keeps_its_own() -> None:
    config = {"cloud": "gcp", "controlPlane": "managed", "region": "europe-west1", "scenario": "development"}
    with pytest.raises(SettingsError, match=r"authorities: a managed control plane .* no such choice"):
        load({f"kube-ha:{key}": value for key, value in config.items()} | {"kube-ha:authorities": '{"signing": 1}'})


def test_machines_are_replaced_by_a_step_and_balancers_are_not() -> None:
    settings = configured({"trusted": [1, 2]})
    said = {role: authorities(settings, Identity(role=role)).trusted for role in Role}
    assert said == {Role.MASTER: (1, 2), Role.MEMBER: (1, 2), Role.BALANCER: (1,)}


class Named(Outputs):
    """Certificates that say whose they are."""

    def new_resource(self, args: Any) -> tuple[str, dict[str, Any]]:
        identity, outputs = super().new_resource(args)
        made = {key: f"{args.name}\n" for key in outputs if key.endswith("Pem")}
        return identity, {**outputs, **made, **args.inputs}


def made(settings: AuthoritySettings) -> tuple[dict[str, Any], dict[str, Any]]:
    """The secrets, and the inputs of everything by name, as the program makes them."""
    secrets: dict[str, Any] = {}

    def remember(name: str, text: str) -> None:
        secrets[name] = json.loads(text)

    def program() -> list[Any]:
        pki = Pki("s", PkiArgs(authorities=settings))
        read = [value.apply(partial(remember, name)) for name, value in pki.secrets.items()]
        return [*read, pki.kubeconfig("s", "host:6443")]

    registered = build(program, "s", mocks=Named())
    return secrets, {f"{one.type} {one.name}": one.inputs for one in registered}


@pytest.mark.parametrize(
    ("number", "certificates", "key"),
    [
        (0, "s-{}\n", "s-{}\n"),
        (1, "s-{}\ns-{}-2\n", "s-{}\n"),
        (2, "s-{}-2\ns-{}\n", "s-{}-2\n"),
        (3, "s-{}-2\n", "s-{}-2\n"),
    ],
)
def test_the_signing_generation_comes_first_with_its_key(number: int, certificates: str, key: str) -> None:
    secrets, _ = made(step(number))
    for name in AUTHORITIES:
        assert secrets[name] == {"certificate": certificates.replace("{}", name), "key": key.replace("{}", name)}


def test_the_administrator_is_signed_by_the_generation_that_signs() -> None:
    _, resources = made(step(2))
    assert resources["tls:index/locallySignedCert:LocallySignedCert s-admin"]["caCertPem"] == "s-kubernetes-ca-2\n"


def test_a_generation_that_nobody_trusts_is_forgotten() -> None:
    _, resources = made(step(3))
    assert "tls:index/privateKey:PrivateKey s-kubernetes-ca-2" in resources
    assert "tls:index/privateKey:PrivateKey s-kubernetes-ca" not in resources
