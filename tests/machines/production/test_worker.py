"""A worker joins with what `make worker` prints and `kubeadm join`; its pods reach and are reached; gone is gone.

What it prints on AWS boots here too, with stand-ins for the two commands that ask AWS.
"""

import json
from typing import Any

import pytest

from providers.local.commands import run
from tests.machines import aws_worker, worker
from tests.machines.stack import Stack, eventually

pytestmark = [pytest.mark.machines, pytest.mark.timeout(900)]

READY_SECONDS = 180
ROUTE_SECONDS = 60


def test_a_worker_joins_runs_pods_that_find_services_by_name_and_leaves_nothing(stack: Stack) -> None:
    with worker.joined(stack, worker.printed(stack)) as name:
        eventually(lambda: is_ready(stack, name), lambda: stack.console(name)[-4000:], READY_SECONDS)
        cidr = stack.kubectl("get", "node", name, "--output=jsonpath={.spec.podCIDR}")
        address = stack.machines()[name].address
        eventually(lambda: routes(stack).get(cidr) == address, lambda: routes(stack), ROUTE_SECONDS)
        stack.kubectl("run", "asking", "--image=none", "--overrides", json.dumps(asking(name)))
        try:
            eventually(
                lambda: "ok" in stack.kubectl("logs", "asking", "--ignore-errors"),
                lambda: stack.kubectl("logs", "asking", "--ignore-errors") + stack.kubectl("describe", "pod", "asking"),
                READY_SECONDS,
            )
        finally:
            stack.kubectl("delete", "pod", "asking", "--grace-period=0", "--force")
        refused = stack.injector.run(name, "curl", "-s", f"http://169.254.169.254/v1/buckets/{stack.name}/objects")
        assert "is a worker" in refused
        stack.kubectl("delete", "node", name)
        eventually(lambda: cidr not in routes(stack), lambda: routes(stack), ROUTE_SECONDS)


def test_a_worker_of_aws_fetches_binaries_and_token_joins_and_waits_for_the_clouds_controller_manager(
    stack: Stack,
) -> None:
    with worker.joined(stack, aws_worker.user_data(stack)) as name:
        eventually(lambda: is_ready(stack, name), lambda: stack.console(name)[-4000:], READY_SECONDS)
        spec = json.loads(stack.kubectl("get", "node", name, "--output=jsonpath={.spec}"))
    assert spec["providerID"] == aws_worker.PROVIDER_ID
    assert "node.cloudprovider.kubernetes.io/uninitialized" in {taint["key"] for taint in spec["taints"]}


def test_the_user_data_of_a_zone_that_is_none_is_refused_with_those_that_are(stack: Stack) -> None:
    ran = stack.make("worker", "ZONE=nowhere", fails=True)
    assert "'nowhere' is no zone of the stack; its zones: zone-a, zone-b, zone-c" in ran.output


def is_ready(stack: Stack, name: str) -> bool:
    """Whether the Node is there and Ready."""
    return " Ready " in stack.kubectl("get", "node", name, "--ignore-not-found")


def routes(stack: Stack) -> dict[str, str]:
    """What the stack's network sends to machines."""
    entries = json.loads(run("ip", "-n", f"kha-{stack.name}.router", "-json", "-4", "route", "show"))
    return {entry["dst"]: entry["gateway"] for entry in entries if "gateway" in entry}


# By its full name and with the machine's own programs: no image has to come from a registry.
ASK = """\
import ssl, sys, urllib.request
url = "https://kubernetes.default.svc.cluster.local/livez"
context = ssl.create_default_context(cafile="/var/run/secrets/kubernetes.io/serviceaccount/ca.crt")
print(urllib.request.urlopen(url, timeout=5, context=context).read().decode())
"""


def asking(node: str) -> dict[str, Any]:
    """A pod that asks the API by its Service's name: CoreDNS is on another machine, and so is the API."""
    folders = ("usr", "lib", "lib64")
    return {
        "spec": {
            "nodeName": node,
            "restartPolicy": "OnFailure",
            "containers": [
                {
                    "name": "asking",
                    "image": "registry.k8s.io/pause:3.10.2",
                    "imagePullPolicy": "Never",
                    "command": ["/usr/bin/python3", "-c", ASK],
                    "volumeMounts": [{"name": name, "mountPath": f"/{name}", "readOnly": True} for name in folders],
                }
            ],
            "volumes": [{"name": name, "hostPath": {"path": f"/{name}"}} for name in folders],
        }
    }
