"""A machine image and artifacts of the right shape, where none were built."""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from unittest import mock

from toolchain import artifacts


@contextmanager
def pretend(folder: Path) -> Iterator[None]:
    """Within this, the toolchain says that it made an image and the agent's libraries, both empty."""
    image, libraries = folder / "image", folder / "agent-libraries.tar.gz"
    for layer in ("root", "containerd"):
        (image / layer).mkdir(parents=True)
    libraries.touch()
    made = artifacts.Artifacts(
        image=image,
        artifacts=(
            artifacts.Artifact(
                name="agent-libraries",
                version="1",
                source=libraries,
                sha256=sha256(b"").hexdigest(),
                path="/opt/kube-ha/libraries",
                executable=False,
                roles=("master", "member", "balancer"),
            ),
        ),
    )
    with mock.patch.object(artifacts, "load", return_value=made):
        yield
