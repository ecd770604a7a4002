"""containerd's folder with every image imported and unpacked: what a machine has as /var/lib/containerd.

Unpacking six images takes seconds; a machine that gets the folder by hard links has them at once.
"""

import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from toolchain import cache
from toolchain.image.command import ENDS_WITH_US, ImageError, ending, run

NAMESPACE: Final = "k8s.io"
"""The kubelet's, in containerd."""

START_SECONDS: Final = 30.0

CONFIG: Final = """\
version = 3
root = "{root}"
state = "{state}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.cri.v1.runtime", "io.containerd.cri.v1.images"]
[grpc]
address = "{state}/containerd.sock"
[ttrpc]
address = "{state}/containerd.sock.ttrpc"
"""


def fill(folder: Path, archives: Iterable[Path]) -> None:
    """Make `folder` containerd's, with the images of `archives`.

    Raises:
        ImageError: containerd does not start, or refuses an archive.
    """
    with running(folder) as address:
        for archive in archives:
            # Without --local containerd 2.4 lists the image but does not unpack it, and the kubelet asks a registry.
            run(
                cache.binary("ctr"), "--address", address, "--namespace", NAMESPACE,
                "images", "import", "--local", archive,
            )  # fmt: skip


@contextmanager
def running(folder: Path) -> Iterator[Path]:
    """A containerd on `folder`, without the part that runs pods; its address."""
    # A socket's path may have 108 bytes at most, so it is not in the cache.
    with tempfile.TemporaryDirectory(prefix="kube-ha-", dir="/run") as short:
        state = Path(short)
        config, log = state / "config.toml", state / "log"
        config.write_text(CONFIG.format(root=folder, state=state))
        with log.open("w") as output:
            # In a mount namespace of its own: nothing stays mounted, whatever happens.
            containerd = subprocess.Popen(
                [*ENDS_WITH_US, "unshare", "--mount", cache.binary("containerd"), "--config", config],
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            address = state / "containerd.sock"
            wait(containerd, address, log)
            yield address
        finally:
            containerd.terminate()
            containerd.wait()


def wait(containerd: subprocess.Popen[bytes], address: Path, log: Path) -> None:
    """Return when containerd answers."""
    deadline = time.monotonic() + START_SECONDS
    while containerd.poll() is None and time.monotonic() < deadline:
        if address.exists():
            run(cache.binary("ctr"), "--address", address, "version")
            return
        time.sleep(0.05)
    raise ImageError(f"containerd does not start:\n{ending(log.read_text())}")
