"""The files that a stock image lacks for a worker: from the stack's bucket, by the machine's own role, and checked.

What masters get by their agent, a worker gets by a script, since it has no agent.
"""

import shlex
from collections.abc import Sequence
from typing import Final

from components.node.cloud_init import FETCH
from components.node.machine import Artifact

OBTAIN: Final = "/usr/local/sbin/kube-ha-obtain"
PACKAGES: Final = ("nftables",)
"""Of its Debian, from its own mirror."""


def script(cloud: str, bucket: str, files: Sequence[Artifact]) -> str:
    """It ends when every file is there with its sha256: containerd, which waits for it, is not started twice."""
    calls = [" ".join(("  obtain", shlex.quote(file.key), file.sha256, shlex.quote(file.path))) for file in files]
    everything = " &&\n".join(calls)
    return f"""\
#!/bin/sh
set -u
BUCKET={shlex.quote(bucket)}
obtain() {{
  KEY=$1 SHA256=$2 TARGET=$3 FILE=$3.part
  ! echo "$SHA256  $TARGET" | sha256sum --check --status 2>/dev/null || return 0
  mkdir -p "${{TARGET%/*}}"
  {FETCH[cloud]} || return 1
  echo "$SHA256  $FILE" | sha256sum --check --quiet || return 1
  chmod 0755 "$FILE" && mv "$FILE" "$TARGET"
}}
everything() {{
{everything}
}}
until everything; do sleep 5; done
"""
