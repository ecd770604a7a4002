"""`make worker`: on AWS a cloud-init without a secret, and how the machine gets at one; elsewhere with a token."""

import json
import re
from base64 import b64encode
from typing import Any

import pytest
import yaml

from cli import worker
from cli.engine import EngineError
from cli.kubectl import Kubectl
from cli.refused import RefusedError
from tests.agent.authorities import generation

KUBECONFIG = {
    "clusters": [
        {
            "cluster": {
                "server": "https://prod.elb.eu-west-1.amazonaws.com:6443",
                "certificate-authority-data": b64encode(generation("kubernetes")[0].encode()).decode(),
            }
        }
    ]
}
TOKEN = "abcdef.0123456789abcdef"  # noqa: S105 nobody's
CLUSTER = {"networking": {"podSubnet": "10.244.0.0/16"}}
MASTERS = {"items": [{"metadata": {"labels": {worker.ZONE: "eu-west-1a", worker.REGION: "eu-west-1"}}}]}
ANSWERS: dict[str, dict[str, Any]] = {
    "nodes": MASTERS,
    "configmap": {"data": {"ClusterConfiguration": json.dumps(CLUSTER)}},
}


class Engine:
    """One whose stack is up."""

    stack = "prod-aws"

    def __init__(self, network_plugin: str = "reference", *, with_workers: bool = True) -> None:
        self.declared = {"cloud": "aws", "networkPlugin": network_plugin}
        self.with_workers = with_workers

    def outputs(self) -> dict[str, str]:
        return {"kubeconfig": json.dumps(KUBECONFIG)}

    def resources(self) -> list[dict[str, Any]]:
        made = [
            resource("aws:secretsmanager/secret:Secret", "prod-aws-worker-token", name="kube-ha/0123/worker-token"),
            resource("aws:iam/instanceProfile:InstanceProfile", "prod-aws-worker", name="prod-aws-worker-1a2b3c4"),
        ]
        files = [
            resource("aws:s3/bucketObjectv2:BucketObjectv2", f"prod-aws-{key}", key=key)
            for key in ("artifacts/0a/kubelet", "artifacts/0b/cni-bridge", "artifacts/0c/etcd", "agent/0d.tar.gz")
        ]
        others = [
            *files,
            resource("aws:s3/bucket:Bucket", "prod-aws", bucket="prod-aws-5e6f"),
            resource("kube-ha:aws:ControlPlane", "prod-aws"),
            resource(
                "aws:secretsmanager/secret:Secret", "prod-aws-bootstrap-token", name="kube-ha/0123/bootstrap-token"
            ),
            resource("aws:iam/instanceProfile:InstanceProfile", "prod-aws-master", name="prod-aws-master-1a2b3c4"),
        ]
        return [{**one, "inputs": self.declared} for one in (*others, *(made if self.with_workers else ()))]


def resource(kind: str, called: str, **outputs: str) -> dict[str, Any]:
    return {"type": kind, "urn": f"urn:pulumi:prod-aws::kube-ha::{kind}::{called}", "outputs": outputs}


@pytest.fixture(autouse=True)
def api(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Kubectl, "get", lambda kubectl, kind, *more: ANSWERS[kind])
    monkeypatch.setattr(worker, "run", lambda name, *arguments: pytest.fail(f"{name} was asked for a token"))


def printed(engine: Any) -> str:
    return worker.user_data(engine, "eu-west-1a")


class Local(Engine):
    """One of a stack on this machine."""

    def resources(self) -> list[dict[str, Any]]:
        declared = {"cloud": "local", "networkPlugin": "reference"}
        return [{**resource("kube-ha:local:ControlPlane", "local"), "inputs": declared}]


def test_the_machine_is_told_where_the_token_is_and_the_user_which_profile_may_read_it() -> None:
    text = printed(Engine())
    assert text.splitlines()[:2] == ["#cloud-config", "# instance profile: prod-aws-worker-1a2b3c4"]
    files = {file["path"]: file["content"] for file in yaml.safe_load(text)["write_files"]}
    assert "SECRET=kube-ha/0123/worker-token\n" in files["/usr/local/sbin/kube-ha-complete-join"]


def test_it_fetches_the_masters_binaries_and_not_what_is_theirs_alone() -> None:
    files = {file["path"]: file["content"] for file in yaml.safe_load(printed(Engine()))["write_files"]}
    script = files["/usr/local/sbin/kube-ha-obtain"]
    assert "BUCKET=prod-aws-5e6f\n" in script
    wanted = re.findall(r"^  obtain (.*?)(?: &&)?$", script, re.MULTILINE)
    assert wanted == [
        "artifacts/0b/cni-bridge 0b /opt/cni/bin/bridge",
        "artifacts/0a/kubelet 0a /opt/kube-ha/bin/kubelet",
    ]


def test_a_network_plugin_of_the_users_is_left_room_on_workers_too() -> None:
    assert "conf_template" in printed(Engine())
    assert "conf_template" not in printed(Engine("none"))


def test_a_stack_that_an_older_program_made_says_what_to_do() -> None:
    with pytest.raises(RefusedError, match="bring it up with this version of the program first"):
        printed(Engine(with_workers=False))


def test_on_this_machine_the_token_is_in_it_and_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "run", lambda name, verb, *arguments: f"{TOKEN}\n" if verb == "token" else "")
    text = printed(Local())
    files = {file["path"]: file["content"] for file in yaml.safe_load(text)["write_files"]}
    assert json.loads(files["/etc/kubernetes/join.json"])["discovery"]["bootstrapToken"]["token"] == TOKEN
    assert not {"/usr/local/sbin/kube-ha-obtain", "/usr/local/sbin/kube-ha-complete-join"} & files.keys()


def test_workers_of_a_managed_control_plane_are_its_nodes() -> None:
    managed = Engine()
    managed.declared["controlPlane"] = "managed"
    with pytest.raises(RefusedError, match="stack prod-aws is managed: its workers are its nodes"):
        printed(managed)


def test_a_stack_that_is_not_up_has_no_workers() -> None:
    nothing = Engine()
    nothing.resources = list  # type: ignore[method-assign]
    with pytest.raises(EngineError, match="stack prod-aws is not up: make up STACK=prod-aws"):
        printed(nothing)
