"""A rotation of the authorities on machines: neighbouring steps believe each other, and running machines wait."""

import base64
import json
import shutil
import ssl
from functools import partial
from pathlib import Path

import pytest
import yaml
from cryptography import x509

from components.authority_settings import AuthoritySettings
from components.node.agent import phases
from components.node.agent.master_keys import PKI
from components.node.agent.secrets import AUTHORITIES, Secrets
from components.node.certificates import KeyPair, Request, authority, issue
from components.node.etcd import Files
from components.node.kubeadm import API_VERSION
from tests.agent.authorities import generation
from tests.agent.conftest import World
from tests.agent.processes import eventually
from tests.agent.test_real_etcd import get, put
from toolchain import cache

STEPS = [AuthoritySettings()]
for _ in range(3):
    STEPS.append(STEPS[-1].following)
GENERATIONS = {number: generation("etcd-peer-ca") for number in (1, 2)}
LEAF = Request("m", names=("m",), server=True, client=True)


def secret(step: AuthoritySettings) -> bytes:
    """As the program writes it: the signing certificate first, and its key."""
    order = sorted(step.trusted, key=lambda number: number != step.signing)
    certificates = "".join(GENERATIONS[number][0] for number in order)
    return json.dumps({"certificate": certificates, "key": GENERATIONS[step.signing][1]}).encode()


def context(step: AuthoritySettings, folder: Path, *, server: bool) -> ssl.SSLContext:
    """One end of a connection, as a machine of this step has it."""
    issuer = authority(secret(step), "etcd-peer-ca")
    leaf: KeyPair = issue(issuer, LEAF)
    folder.mkdir()
    for name, content in (("ca", issuer.certificate), ("crt", leaf.certificate), ("key", leaf.key)):
        (folder / name).write_bytes(content)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    made.verify_mode = ssl.CERT_REQUIRED
    made.load_verify_locations(folder / "ca")
    made.load_cert_chain(folder / "crt", folder / "key")
    return made


def shake_hands(client: ssl.SSLContext, server: ssl.SSLContext) -> None:
    """A handshake in memory, in which both ends show a certificate. Raises `ssl.SSLError`."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname="m"),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    for _ in range(4):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    ends[1].write(b"believed")
    assert ends[0].read() == b"believed"


@pytest.mark.parametrize("before", range(3))
def test_machines_of_neighbouring_steps_believe_each_other(before: int, tmp_path: Path) -> None:
    one, other = STEPS[before], STEPS[before + 1]
    shake_hands(context(one, tmp_path / "a", server=False), context(other, tmp_path / "b", server=True))
    shake_hands(context(other, tmp_path / "c", server=False), context(one, tmp_path / "d", server=True))


def test_a_step_left_out_is_not_believed(tmp_path: Path) -> None:
    with pytest.raises(ssl.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        shake_hands(context(STEPS[0], tmp_path / "a", server=False), context(STEPS[2], tmp_path / "b", server=True))


def test_a_running_machine_keeps_its_authorities_and_its_replacement_takes_the_new_ones(world: World) -> None:
    running = world.machine("member-1")
    files = Files(running.paths.etcd_configuration)
    world.secrets.update(dict.fromkeys(AUTHORITIES.values(), secret(STEPS[1])))
    Secrets().run(running)
    kept = {path: path.read_bytes() for path in (files.authority("peer"), files.certificate("peer"), files.key("peer"))}
    world.secrets.update(dict.fromkeys(AUTHORITIES.values(), secret(STEPS[2])))
    Secrets().run(running)
    assert {path: path.read_bytes() for path in kept} == kept
    for path in files.authority("peer").parent.iterdir():
        path.unlink()  # as on the root disk of its successor
    Secrets().run(running)
    assert files.authority("peer").read_bytes() == json.loads(secret(STEPS[2]))["certificate"].encode()
    assert files.certificate("peer").read_bytes() != kept[files.certificate("peer")]


@pytest.mark.timeout(180)
def test_real_members_are_whole_after_every_machine_of_every_step(world: World) -> None:
    world.secrets.update(dict.fromkeys(AUTHORITIES.values(), secret(STEPS[0])))
    world.form()
    for member in world.members:
        eventually(partial(world.healthy, member.name), 30, f"{member.name} is healthy")
    ids = world.listed("member-1")
    for number, step in enumerate(STEPS[1:], start=1):
        world.secrets.update(dict.fromkeys(AUTHORITIES.values(), secret(step)))
        for member in world.members:
            world.kill(member.name)
            shutil.rmtree(world.machines[member.name].paths.etcd_configuration)
            world.steps[member.name].run(world.machine(member.name))
            eventually(partial(world.healthy, member.name), 30, f"{member.name} is healthy in step {number}")
            # Through another one, so that two machines have to agree.
            put(world, "member-3" if member.name == "member-1" else "member-1", "step", f"{number} {member.name}")
    assert {get(world, member.name, "step") for member in world.members} == {"3 member-3"}
    assert world.listed("member-1") == ids


def test_kubeconfigs_trust_all_generations_and_kubeadm_signs_with_the_first(world: World) -> None:
    context = world.machine("member-1")
    pki = context.paths.root / PKI
    pki.mkdir(parents=True)
    document = json.loads(secret(STEPS[2]))
    (pki / "ca.crt").write_text(document["certificate"])
    (pki / "ca.key").write_text(document["key"])
    for tool in ("kubeadm", "kubectl"):
        (context.paths.binaries / tool).symlink_to(cache.binary(tool))
    folder = context.paths.root / "etc/kubernetes"
    configuration = folder / "kubeadm.json"
    cluster = {"kind": "ClusterConfiguration", "certificatesDir": str(pki), "clusterName": context.machine.cluster}
    configuration.write_text(json.dumps({"apiVersion": API_VERSION, "kubernetesVersion": "v1.37.2", **cluster}))
    for name in phases.KUBECONFIGS:
        made = (f"--kubeconfig-dir={folder}", f"--config={configuration}")
        phases.run_kubeadm(context, "init", "phase", "kubeconfig", name, *made)
    phases.trust_every_generation(context)
    for name in phases.KUBECONFIGS:
        read = yaml.safe_load((folder / f"{name}.conf").read_text())
        trusted = base64.b64decode(read["clusters"][0]["cluster"]["certificate-authority-data"])
        assert trusted == document["certificate"].encode()
        leaf = x509.load_pem_x509_certificate(base64.b64decode(read["users"][0]["user"]["client-certificate-data"]))
        leaf.verify_directly_issued_by(x509.load_pem_x509_certificate(GENERATIONS[2][0].encode()))
