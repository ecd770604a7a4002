"""Two Keepalived with the configurations of balancers, each in a network of its own: who has the address when."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from components.node import keepalived
from components.node.health import VRRP_ADVERTISEMENT_SECONDS
from components.node.machine import Role
from tests.rendering.conftest import BALANCERS, BALANCING, document

SILENCE_MS = 3 * VRRP_ADVERTISEMENT_SECONDS * 1000
"""A balancer that hears nothing takes the address no sooner."""

SCRIPT = """
mount -t tmpfs tmpfs /run
mkdir "$(dirname {state})"
echo 0 > {state}
unshare --net sleep 20 >/dev/null 2>&1 & other=$!
until [ "$(readlink /proc/$other/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.01; done
ip link add eth0 type veth peer name eth0 netns $other
there="nsenter --net --target $other"
for where in "env" "$there"; do
  $where ip address add $([ "$where" = env ] && echo {first} || echo {second})/24 dev eth0
  $where ip link set eth0 up
done
run() {{
  exec $1 {keepalived} --dont-fork --vrrp --use-file={folder}/$2 --pid=/run/$2 --vrrp_pid=/run/$2-vrrp >/dev/null 2>&1
}}
until_it_has_the_address() {{ until $1 ip address show dev eth0 to {virtual} | grep -q inet; do sleep 0.01; done; }}

run env first & first=$!
until_it_has_the_address env
run "$there" second &
until $there cat /{raw} | grep -q ':0070 '; do sleep 0.01; done
$there cat /{raw}
sleep {listening}
begin=$(date +%s%3N)
kill -TERM $first
until_it_has_the_address "$there"
echo $(($(date +%s%3N) - begin))
"""


def given_away(tool: Callable[[str], str], folder: Path) -> tuple[str, int]:
    """The kernel's list of raw sockets where the second balancer has just started; and how many ms after the first has
    been told to end, when both have long run, the second has the address."""
    for name, peer in zip(("first", "second"), BALANCERS, strict=True):
        (folder / name).write_text(keepalived.render(document(Role.BALANCER, peer)))
        (folder / name).chmod(0o644)
    script = SCRIPT.format(
        state=keepalived.STATE, first=BALANCERS[0].address, second=BALANCERS[1].address, keepalived=tool("keepalived"),
        folder=folder, virtual=BALANCING.virtual_address.partition("/")[0], raw=keepalived.RAW_SOCKETS,
        listening=keepalived.TAKEOVER_SECONDS,
    )  # fmt: skip
    command = [tool("unshare"), "--user", "--map-root-user", "--net", "--mount", "sh", "-euc", script]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as running:
        try:
            said, wrong = running.communicate(timeout=20)
        finally:
            os.killpg(running.pid, signal.SIGKILL)
    assert running.returncode == 0, wrong
    *raw, milliseconds = said.splitlines()
    return "\n".join(raw), int(milliseconds)


def test_a_balancer_that_listens_is_given_the_address_and_does_not_wait_for_silence(
    tool: Callable[[str], str], tmp_path: Path
) -> None:
    raw_sockets, milliseconds = given_away(tool, tmp_path)
    assert keepalived.listening(raw_sockets)
    assert milliseconds < SILENCE_MS
