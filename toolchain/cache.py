"""Where the toolchain keeps what it fetched and built: once per user, shared by every clone.

<root>/tools/<name>-<version>/…   one folder per tool and version, complete or absent
<root>/bin/<binary>               links to the versions of the table: the folder to put on PATH
<root>/cni/<plugin>               links to the CNI plugins, which must not be on PATH
<root>/pulumi/                    PULUMI_HOME: provider plugins
<root>/lock                       held by the run that installs
"""

import os
from pathlib import Path

from toolchain import versions


class MissingToolError(Exception):
    """A binary was asked for that the toolchain has not installed yet."""


def root() -> Path:
    """The cache's root: `$XDG_CACHE_HOME/kube-ha`, or `~/.cache/kube-ha`. It may not exist yet."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG specification: a relative path is invalid and is ignored.
    return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "kube-ha"


def bin_dir() -> Path:
    """The folder of links to put on PATH."""
    return root() / "bin"


def binary(name: str) -> Path:
    """The real path of the executable `name` (`kubelet`, `bridge`, …) in the version of the table.

    Raises:
        MissingToolError: it is not installed; the message says which command installs it.
    """
    for folder in (bin_dir(), root() / "cni"):
        if (folder / name).exists():
            return (folder / name).resolve()
    raise MissingToolError(f"{name} is not in {bin_dir()}: run `{versions.command(name)}` first")
