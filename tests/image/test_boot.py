"""A machine boots from the image: user data runs at once, and what the agent needs is there."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from components.node.machine import MACHINE_FILE
from providers.local import cgroups
from toolchain import artifacts

pytestmark = pytest.mark.machines

END = "the user data has run"

NAME = "image-test"
MEMORY_MB = 2048

BOOT_SECONDS = 60
AGENT_STARTS_SECONDS = 5.0
"""Ten times what was measured: a busy machine does not fail the test, four processes of cloud-init or a wait for a
network do."""

CHECKS = f"""\
export PATH=/opt/kube-ha/bin:$PATH
check() {{ echo "$1: $(shift; "$@" 2>&1 | tr '\\n' ' ')" >> /root/checks; }}
date +%s.%N > /root/started
check document cat {MACHINE_FILE}
export PYTHONPATH=$(echo /opt/kube-ha/libraries/*)
check libraries python3 -c 'import cryptography.x509, pydantic; print("imported")'
unset PYTHONPATH
check enabled systemctl list-unit-files --state=enabled --no-legend --plain
check failed systemctl list-units --state=failed --no-legend --plain
for program in nft conntrack haproxy keepalived socat ethtool mkfs.ext4 blkid; do check $program which $program; done
containerd >/root/containerd.log 2>&1 &
until ctr version >/dev/null 2>&1; do sleep 0.1; done
check images ctr -n k8s.io images ls -q
echo "{END}" > /dev/console
touch /root/end
"""


@dataclass(frozen=True)
class Booted:
    """A machine that has run its user data."""

    seconds: float
    """From the start of systemd-nspawn to the first command of the user data."""
    console: str
    checks: dict[str, str]


def image() -> Path:
    if os.geteuid() != 0:
        pytest.skip("booting a machine needs root")
    if not shutil.which("systemd-nspawn"):
        pytest.skip("systemd-nspawn is not installed: run `make tools`")
    try:
        return artifacts.load().image
    except artifacts.MissingArtifactsError as error:
        pytest.skip(str(error))


def link_or_copy(source: str, target: str) -> None:
    """A hard link, except of containerd's databases, which it writes to."""
    if source.endswith(".db"):
        shutil.copy2(source, target)
        return
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


def seeded(folder: Path) -> Path:
    """The upper directory of a machine's root, with its user data."""
    seed = folder / "upper/var/lib/cloud/seed/nocloud"
    seed.mkdir(parents=True)
    (seed / "meta-data").write_text("instance-id: test\n")
    indented = CHECKS.replace("\n", "\n    ")
    (seed / "user-data").write_text(
        f"#cloud-config\nwrite_files:\n- path: {MACHINE_FILE}\n  content: a document\n"
        f"- path: /root/run-checks\n  content: |\n    {indented}\nruncmd:\n- [bash, /root/run-checks]\n"
    )
    return folder / "upper"


@pytest.fixture(scope="module")
def booted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Booted]:
    lower, folder = image(), tmp_path_factory.mktemp("machine")
    upper = seeded(folder)
    for name in ("work", "root"):
        (folder / name).mkdir()
    shutil.copytree(lower / "containerd", folder / "containerd", symlinks=True, copy_function=link_or_copy)
    overlay = f"lowerdir={lower}/root,upperdir={upper},workdir={folder}/work"
    joins = " ".join(map(str, cgroups.make(NAME, MEMORY_MB)))
    # No machine serves beside it.
    cgroups.yielding(NAME, only_idle=False)
    boot = (
        f"for group in {joins}; do echo $$ > $group; done; "
        f"mount -t overlay overlay -o {overlay} {folder}/root && exec systemd-nspawn --quiet --boot --register=no"
        f" --keep-unit --directory={folder}/root --machine={NAME} --private-network --capability=all"
        f" --bind={folder}/containerd:/var/lib/containerd --resolv-conf=off --link-journal=no --console=read-only"
    )
    console = folder / "console"
    began = time.time()
    with console.open("w") as output:
        # Mounts and processes are the namespaces', which end with the first process.
        machine = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", boot],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        while not (upper / "root/end").exists():
            assert machine.poll() is None, console.read_text()
            assert time.time() < began + BOOT_SECONDS, console.read_text()
            time.sleep(0.05)
        checks = dict(line.split(": ", 1) for line in (upper / "root/checks").read_text().splitlines())
        yield Booted(float((upper / "root/started").read_text()) - began, console.read_text(), checks)
    finally:
        machine.kill()
        machine.wait()
        cgroups.remove(NAME)


def test_user_data_runs_within_seconds(booted: Booted) -> None:
    assert booted.seconds < AGENT_STARTS_SECONDS


def test_user_data_wrote_its_files_before_its_commands_ran(booted: Booted) -> None:
    assert booted.checks["document"].strip() == "a document"


def test_no_unit_failed_and_no_package_brought_a_service_that_starts(booted: Booted) -> None:
    assert booted.checks["failed"].strip() == ""
    assert booted.checks["enabled"].split() == ["cloud-init-all-stages.service", "enabled", "enabled"]


def test_the_agents_libraries_import(booted: Booted) -> None:
    assert booted.checks["libraries"].strip() == "imported"


@pytest.mark.parametrize(
    "program", ["nft", "conntrack", "haproxy", "keepalived", "socat", "ethtool", "mkfs.ext4", "blkid"]
)
def test_what_the_agent_starts_is_installed(booted: Booted, program: str) -> None:
    assert booted.checks[program].startswith("/")


def test_containerd_has_every_image_of_the_artifacts(booted: Booted) -> None:
    images = [
        artifact.name.removeprefix("image-") for artifact in artifacts.load().artifacts if "image-" in artifact.name
    ]
    assert images
    for name in images:
        assert f"/{name}:" in booted.checks["images"]


def test_what_a_machine_says_on_its_console_is_seen(booted: Booted) -> None:
    assert END in booted.console
    assert "running 'modules:final'" in booted.console
