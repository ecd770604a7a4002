"""A cloud's controller manager as an artifact: made for that cloud alone, and named as its project names it."""

from pathlib import Path

import pytest

from toolchain import artifacts, cache, cloud_controller
from toolchain.versions import TOOLS


def test_without_it_the_command_that_makes_it_is_named() -> None:
    with pytest.raises(artifacts.MissingArtifactsError, match="run `make cloud-tools CLOUD=aws` first"):
        cloud_controller.load("aws")
    with pytest.raises(cache.MissingToolError, match="run `make cloud-tools CLOUD=aws` first"):
        cache.binary(cloud_controller.TOOLS["aws"])


def test_nobody_builds_it_who_has_no_such_cloud() -> None:
    wanted = {cloud_controller.wanted(cloud).name for cloud in cloud_controller.TOOLS}
    assert wanted <= {tool.name for tool in TOOLS if tool.on_demand}


def test_its_image_runs_without_privilege_and_knows_whom_to_trust(tmp_path: Path) -> None:
    image = cloud_controller.image("aws", tmp_path / "binary", tmp_path / "certificates")
    assert image.reference.startswith("registry.k8s.io/provider-aws/cloud-controller-manager:v1.")
    assert image.user not in {"", "0", "0:0"}
    assert [file.path for file in image.content] == [
        "usr/local/bin/aws-cloud-controller-manager",
        "etc/ssl/certs/ca-certificates.crt",
    ]
    assert image.entrypoint == ("/usr/local/bin/aws-cloud-controller-manager",)
