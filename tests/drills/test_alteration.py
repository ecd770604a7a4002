"""Clusters made other on purpose are other in what was meant, and in nothing else."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from components.node import etcd, haproxy, keepalived
from components.node.machine import Machine, Role
from drills import alteration, control, usual
from drills.alteration import Alteration, Balancer, Override, overrides
from tests.rendering.conftest import BALANCERS, MASTERS, document

BALANCER = document(Role.BALANCER, BALANCERS[0])
MASTER = document(Role.MASTER, MASTERS[0])


def of(wanted: Alteration, machine: Machine, content: str = "{}") -> list[Override]:
    return list(overrides(wanted, machine, lambda path: content))


def changed(wanted: Balancer) -> tuple[set[str], set[str]]:
    """Lines that went, and lines that came."""
    before = set(haproxy.render(BALANCER).splitlines())
    (one,) = of(Alteration(balancer=wanted), BALANCER)
    after = set(one.content.splitlines())
    return before - after, after - before


def accepted(configuration: str, folder: Path, program: str, *flags: str) -> None:
    file = folder / "configuration"
    file.write_text(configuration)
    if shutil.which(program):
        subprocess.run([program, *flags, str(file)], check=True)


def test_ours_has_no_override() -> None:
    assert of(Alteration(), BALANCER) == of(Alteration(), MASTER) == []


def test_options_of_etcd_come_over_ours() -> None:
    (one,) = of(Alteration(etcd={"election-timeout": 5000}), MASTER, '{"name": "m", "election-timeout": 500}')
    assert json.loads(one.content) == {"name": "m", "election-timeout": 5000}
    assert of(Alteration(etcd={"election-timeout": 5000}), BALANCER) == []


def test_a_balancer_that_checks_a_port_still_checks(tmp_path: Path) -> None:
    gone, come = changed(Balancer.TCP_CHECK)
    assert {line.strip() for line in gone if "default-server" not in line} == {
        "option httpchk GET /readyz?exclude=etcd",
        "http-check expect status 200",
    }
    (checks,) = come
    assert checks.split()[:2] == ["default-server", "check"]
    assert "ssl" not in checks
    accepted(of(Alteration(balancer=Balancer.TCP_CHECK), BALANCER)[0].content, tmp_path, "haproxy", "-c", "-q", "-f")


def test_with_one_master_no_other_is_ever_tried() -> None:
    (one,) = of(Alteration(balancer=Balancer.ONE_MASTER), BALANCER)
    assert MASTERS[0].address in one.content
    assert not [peer for peer in MASTERS[1:] if peer.address in one.content]


@pytest.mark.parametrize("peer", BALANCERS, ids=lambda peer: peer.name)
def test_programs_accept_what_is_usual(peer: object, tmp_path: Path) -> None:
    machine = document(Role.BALANCER, peer)  # type: ignore[arg-type]
    accepted(usual.haproxy(machine), tmp_path, "haproxy", "-c", "-q", "-f")
    accepted(usual.keepalived(machine), tmp_path, "keepalived", "-t", "-f")


UNITS = {
    etcd.UNIT: (etcd.unit(Path("/e"), etcd.Files(Path("/f")), Path("/v"), Path("/v/d"), "true"), "/f/etcd.json"),
    haproxy.UNIT: (keepalived.balancer_service(), haproxy.CONFIGURATION),
    keepalived.UNIT: (keepalived.service(BALANCER), keepalived.CONFIGURATION),
}


@pytest.mark.parametrize("unit", UNITS)
def test_a_drop_in_runs_the_same_program_with_the_other_file_only(unit: str) -> None:
    text, ours = UNITS[unit]
    one = Override(unit, ours, "")
    header, empty, command = alteration.drop_in(text, one).splitlines()
    assert (header, empty) == ("[Service]", "ExecStart=")
    whole = text.replace("\\\n", "")
    assert command.replace(one.path, ours) in whole.splitlines()
    assert ours not in command


def test_a_unit_that_does_not_name_the_file_is_refused() -> None:
    with pytest.raises(ValueError, match="does not name /x"):
        alteration.drop_in("ExecStart=/bin/true\n", Override("u", "/x", ""))


def test_every_declared_control_is_valid_and_alters_something() -> None:
    declared = control.load()
    assert list(declared) == ["no-fsync", "tcp-check", "one-master", "slow-election"]
    assert all(one.alteration != Alteration() for one in declared.values())
