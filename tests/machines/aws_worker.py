"""What a worker on AWS boots with, for a machine of the local cloud that lacks what AWS's stock image lacks.

Stand-ins for `aws` and `cloud-init query` answer from the machine's own disk.
"""

import json
from typing import Any, Final

from cli.worker import OBJECT, machine, uploaded_for_workers
from components.node.worker import JOIN, Worker, render
from tests.machines import worker
from tests.machines.stack import Stack
from tests.program.stacks import settings_of
from toolchain import artifacts
from toolchain.image import catalogue

INSTANCE: Final = "i-0123456789abcdef0"
PROVIDER_ID: Final = f"aws:///eu-west-1a/{INSTANCE}"
SECRET: Final = "kube-ha/0123/worker-token"  # noqa: S105 - its name
BUCKET: Final = "stack"
HEAD: Final = "#cloud-config\n"

SHELF: Final = "/srv/bucket"
"""Where the machine has what AWS would have in the bucket."""
CLEAR: Final = f"""\
mkdir --parents {SHELF}
cp {catalogue.BINARIES}/* {SHELF}
for plugin in {catalogue.CNI_PLUGINS}/*; do cp "$plugin" "{SHELF}/cni-${{plugin##*/}}"; done
rm --recursive {catalogue.BINARIES} {catalogue.CNI_PLUGINS}
"""

# As scripts call them: positions are theirs.
AWS: Final = f"""\
#!/bin/sh
[ "$AWS_DEFAULT_REGION" = eu-west-1 ] || exit 1
case "$1 $2" in
  "secretsmanager get-secret-value") [ "$4" = {SECRET} ] && echo "$TOKEN";;
  "s3 cp") cp "{SHELF}/$(basename "${{8#s3://{BUCKET}/artifacts/}}")" "$9";;
esac
"""
CLOUD_INIT: Final = f"""\
#!/bin/sh
case "$2" in region) echo eu-west-1;; availability_zone) echo eu-west-1a;; instance_id) echo {INSTANCE};; esac
"""


def user_data(stack: Stack) -> str:
    """As `make worker` has it on AWS, of what it printed here."""
    printed: dict[str, Any] = json.loads(worker.printed(stack).removeprefix(HEAD))
    joining = json.loads(next(file["content"] for file in printed["write_files"] if file["path"] == JOIN))
    discovery = joining["discovery"]["bootstrapToken"]
    (labels,) = (flag["value"] for flag in joining["nodeRegistration"]["kubeletExtraArgs"])
    config: dict[str, Any] = json.loads(
        render(
            Worker(
                endpoint=discovery["apiServerEndpoint"],
                cloud="aws",
                secret=SECRET,
                bucket=BUCKET,
                files=uploaded_for_workers(uploads()),
                authority_hash=discovery["caCertHashes"][0],
                pod_cidr=str(settings_of("local").network.pod_cidr),
                labels=dict(label.split("=") for label in labels.split(",")),
                host=machine(local=True),
            )
        ).removeprefix(HEAD)
    )
    stand_ins = {"aws": AWS.replace("$TOKEN", discovery["token"]), "cloud-init": CLOUD_INIT}
    config["write_files"] += [
        {"path": f"/usr/local/sbin/{name}", "permissions": "0755", "content": content}
        for name, content in stand_ins.items()
    ]
    config["runcmd"].insert(0, ["sh", "-euc", CLEAR])
    return HEAD + json.dumps(config)


def uploads() -> list[dict[str, Any]]:
    """What a stack on AWS puts into its bucket, as its state has it."""
    keys = [f"artifacts/{file.sha256}/{file.name}" for file in artifacts.load().artifacts]
    return [{"type": OBJECT, "outputs": {"key": key}} for key in keys]
