"""Gives etcd's leadership to another member; run by the unit before etcd is told to stop.

etcd does so by itself only at the end of its stop, after it has closed its clients' connections. Only the standard
library: it has to be over in well under a second.

    python -m components.node.agent.hand_over <etcdctl> <folder of etcd's configuration>
"""

import json
import sys
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from components.node.agent.etcdctl import Etcdctl, EtcdctlError


def hand_over(etcdctl: Etcdctl, endpoint: str) -> str:
    """Make the first voter that is healthy leader, if the member at `endpoint` leads; what happened, in words."""
    status = etcdctl.status(endpoint)
    if status.leader_id != status.member_id:
        return "not the leader"
    members = etcdctl.member_list((endpoint,)).members
    others = [member for member in members if member.id != status.member_id and not member.learner and member.name]
    for member in others:
        if not _alive(urlsplit(member.peer_urls[0]).hostname or ""):
            continue
        try:
            etcdctl.move_leader(endpoint, member.id)
        except EtcdctlError as error:
            sys.stderr.write(f"{error}\n")
            continue
        return f"{member.name} leads now"
    return "nobody to lead instead"


def _alive(host: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{host}:2381/livez", timeout=0.5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def main(binary: str, folder: str) -> None:
    """Entry point of the unit's ExecStop."""
    files = Path(folder)
    endpoint = json.loads((files / "etcd.json").read_text())["advertise-client-urls"]
    etcdctl = Etcdctl(Path(binary), files / "client-ca.crt", files / "client.crt", files / "client.key")
    try:
        sys.stdout.write(f"leadership: {hand_over(etcdctl, endpoint)}\n")
    except EtcdctlError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(*sys.argv[1:])
