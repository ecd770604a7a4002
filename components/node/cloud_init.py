"""cloud-init's user data: one file that says what the machine is, and a service that fetches and runs the agent.

The work is the service's, not cloud-init's: systemd tries again where cloud-init would have given up, and the same
few lines do on a cloud's stock image and on the local machines.
"""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from components.node.machine import MACHINE_FILE, Machine

LIMIT_BYTES: Final = 16 * 1024
"""The smallest limit among the clouds: EC2's, before base64."""
AGENT_UNIT: Final = "kube-ha-agent.service"
BOOTSTRAP: Final = "/usr/local/sbin/kube-ha-bootstrap"
AGENT: Final = "/opt/kube-ha/agent"
FETCH: Final[Mapping[str, str]] = {
    "local": (
        "curl --fail --silent --show-error --connect-timeout 2 --max-time 60"
        ' --output "$FILE" "http://169.254.169.254/v1/buckets/$BUCKET/objects/$KEY"'
    ),
    "aws": (
        "AWS_DEFAULT_REGION=$(cloud-init query region)"
        ' aws s3 cp --only-show-errors --cli-connect-timeout 2 --cli-read-timeout 60 "s3://$BUCKET/$KEY" "$FILE"'
    ),
}
"""Each cloud's shell command that writes the object `$KEY` of `$BUCKET` to `$FILE`, with what its stock image has."""
LIBRARIES: Final = "/opt/kube-ha/libraries"


class UserDataTooLargeError(Exception):
    """The clouds would refuse this user data."""


@dataclass(frozen=True, kw_only=True)
class AgentSource:
    """Where a machine gets the agent from."""

    bundle_key: str
    bundle_sha256: str
    """A tar.gz of the agent's source."""
    libraries_key: str
    libraries_sha256: str
    """A tar.gz of the packages that the agent imports."""


def render(machine: Machine, agent: AgentSource) -> str:
    """A `#cloud-config` for `machine`.

    Raises:
        UserDataTooLargeError: it is larger than a cloud takes.
    """
    config = {
        "write_files": [
            _file(str(MACHINE_FILE), machine.model_dump_json(exclude_defaults=True) + "\n", "0644"),
            _file(BOOTSTRAP, bootstrap(machine, agent), "0755"),
            _file(f"/etc/systemd/system/{AGENT_UNIT}", service(agent), "0644"),
        ],
        "runcmd": [["systemctl", "enable", "--now", "--no-block", AGENT_UNIT]],
    }
    text = "#cloud-config\n" + json.dumps(config, separators=(",", ":")) + "\n"
    if len(text) > LIMIT_BYTES:
        raise UserDataTooLargeError(
            f"user data of {machine.role} {machine.name}: {len(text)} bytes; clouds take {LIMIT_BYTES}"
            f" ({len(machine.artifacts)} artifacts in it)"
        )
    return text


def _file(path: str, content: str, permissions: str) -> dict[str, Any]:
    return {"path": path, "permissions": permissions, "content": content}


def bootstrap(machine: Machine, agent: AgentSource) -> str:
    """The script that makes agent and libraries be there; an archive already unpacked is not fetched again.

    Raises:
        ValueError: it is not known how to fetch from the machine's cloud.
    """
    if machine.cloud not in FETCH:
        raise ValueError(f"cloud: {machine.cloud!r} has no way to fetch the agent; it is one of {', '.join(FETCH)}")
    return f"""\
#!/bin/sh
# Folders are named by the sha256 of the archive they were unpacked from, and appear complete or not at all.
set -eu
BUCKET={shlex.quote(machine.bucket)}
obtain() {{
  KEY=$1 SHA256=$2 FOLDER=$3/$2
  [ ! -d "$FOLDER" ] || return 0
  mkdir -p "$3"
  rm -f "$3"/.fetched.*
  FILE=$(mktemp "$3/.fetched.XXXXXX")
  {FETCH[machine.cloud]}
  echo "$SHA256  $FILE" | sha256sum --check --quiet
  rm -rf "$FOLDER.part"
  mkdir "$FOLDER.part"
  tar --extract --gzip --no-same-owner --file "$FILE" --directory "$FOLDER.part"
  rm -f "$FILE"
  mv -T "$FOLDER.part" "$FOLDER"
}}
obtain {shlex.quote(agent.libraries_key)} {agent.libraries_sha256} {LIBRARIES}
obtain {shlex.quote(agent.bundle_key)} {agent.bundle_sha256} /opt/kube-ha/agents
ln -sfnT /opt/kube-ha/agents/{agent.bundle_sha256} {AGENT}
"""


def service(agent: AgentSource) -> str:
    """The agent's systemd unit."""
    return f"""\
[Unit]
Description=kube-ha: makes this machine what its document says
StartLimitIntervalSec=0

[Service]
Environment=PYTHONPATH={AGENT}:{LIBRARIES}/{agent.libraries_sha256} PYTHONUNBUFFERED=1
Environment=PATH=/opt/kube-ha/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
ExecStartPre={BOOTSTRAP}
ExecStart=/usr/bin/python3 -m components.node.agent run
# What the agent starts, as mounts and pods, outlives it.
KillMode=process
TimeoutStartSec=120
Restart=always
RestartSec=1

[Install]
WantedBy=multi-user.target
"""
