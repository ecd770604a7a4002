"""What machines on AWS boot with: accepted by cloud-init, small enough for EC2, everything that a stock image lacks."""

from collections.abc import Callable

import pytest

from components.node.agent import packages
from tests.aws.stacks import CONTROLLER, MADE, NAMES, PACKAGES, documents, of, user_data


@pytest.mark.parametrize("stack", NAMES)
def test_cloud_init_accepts_the_user_data_of_every_kind_of_machine(
    stack: str, accepted: Callable[..., object], tool: Callable[[str], str]
) -> None:
    kinds = {found["role"]: name for name, found in documents(stack).items()}
    for name in kinds.values():
        text = user_data(of(stack, "ec2.LaunchTemplate")[name])
        accepted(text, tool("cloud-init"), "schema", "--config-file", "{}")


@pytest.mark.parametrize("stack", NAMES)
def test_user_data_carries_no_secret_and_fits_with_room_for_more(stack: str) -> None:
    for template in of(stack, "ec2.LaunchTemplate").values():
        text = user_data(template)
        assert "PRIVATE" not in text
        assert len(text.encode()) < 15 * 1024, "EC2 takes 16 KB"


@pytest.mark.parametrize("stack", NAMES)
def test_every_file_that_a_machine_wants_is_in_the_bucket_under_that_key(stack: str) -> None:
    uploaded = {found.inputs["key"] for found in of(stack, "s3.BucketObjectv2").values()}
    for machine in documents(stack).values():
        wanted = {file["key"] for file in machine["artifacts"]}
        assert wanted <= uploaded
        names = {file["name"] for file in machine["artifacts"]}
        assert {file.name for file in (*MADE.artifacts, PACKAGES, CONTROLLER) if machine["role"] in file.roles} == names


def test_masters_get_the_passthrough_that_stock_debian_lacks() -> None:
    for machine in documents("prod-aws").values():
        paths = {file["path"] for file in machine["artifacts"]}
        assert any(path.startswith(packages.FOLDER) for path in paths) is (machine["role"] == "master")
