"""The provider plugins tls and random: the official ones where they can be downloaded, else the stand-ins of this
repository.

A stack keeps the kind that it began with: once a clone has stand-ins it keeps them, until `.state/pulumi` is removed.
"""

import importlib.metadata
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from toolchain import cache
from toolchain.download import Fetcher
from toolchain.progress import step
from toolchain.way_error import WayError

NAMES = ("random", "tls")
PLUGIN_HOST = "get.pulumi.com"
"""Where `pulumi plugin install` downloads from."""
INSTALL_SECONDS = 180


class NoPluginError(Exception):
    """Neither the official plugin nor a stand-in can be had."""


@dataclass(frozen=True)
class Plugin:
    """A provider plugin that is ready."""

    name: str
    version: str
    source: str


def own_home(repository: Path) -> Path:
    """PULUMI_HOME of a clone that has stand-ins: they start this clone's code, so no other clone may see them."""
    return repository / ".state" / "pulumi"


def standing_in(repository: Path) -> bool:
    """Whether this clone has stand-ins."""
    return own_home(repository).is_dir()


def home(repository: Path) -> Path:
    """PULUMI_HOME: shared by all clones as long as they all use official plugins."""
    return own_home(repository) if standing_in(repository) else cache.root() / "pulumi"


def ensure(repository: Path, fetcher: Fetcher) -> list[Plugin]:
    """Have the plugins ready.

    Raises:
        NoPluginError: nothing worked.
    """
    versions = {name: importlib.metadata.version(f"pulumi-{name}") for name in NAMES}
    reason = ""
    if not standing_in(repository):
        try:
            for name, version in versions.items():
                install(repository, name, version, fetcher)
            return [Plugin(name, version, "official plugin") for name, version in versions.items()]
        except WayError as error:
            reason = f"; {error}"
    for name, version in versions.items():
        if not (repository / "providers" / name).is_dir():
            raise NoPluginError(
                f"provider plugin {name} {version}: no way to get it worked\n"
                f"  official download: {reason.removeprefix('; ') or 'not tried, this clone has stand-ins'}\n"
                f"  stand-in: {repository} has no folder providers/{name}"
            )
        stand_in(repository, name, version)
    return [Plugin(name, version, f"stand-in providers/{name}{reason}") for name, version in versions.items()]


def install(repository: Path, name: str, version: str, fetcher: Fetcher) -> None:
    """Have the CLI download a plugin that is not there yet.

    Raises:
        WayError: it cannot be reached, or the CLI's own reason.
    """
    if folder(home(repository), name, version).is_dir():
        return
    fetcher.reach(PLUGIN_HOST)
    command = [str(cache.binary("pulumi")), "plugin", "install", "resource", name, version]
    env = {**os.environ, "PULUMI_HOME": str(home(repository)), "PULUMI_SKIP_UPDATE_CHECK": "true"}
    with step(f"provider plugin {name} {version}: official download"):
        try:
            subprocess.run(command, env=env, capture_output=True, text=True, check=True, timeout=INSTALL_SECONDS)
        except subprocess.CalledProcessError as error:
            raise WayError(error.stderr.strip() or f"ended with {error.returncode}") from error
        except subprocess.TimeoutExpired as error:
            raise WayError(f"took more than {INSTALL_SECONDS} s") from error


def folder(pulumi_home: Path, name: str, version: str) -> Path:
    """Where the CLI looks for a plugin of a version."""
    return pulumi_home / "plugins" / f"resource-{name}-v{version}"


def stand_in(repository: Path, name: str, version: str) -> None:
    """Put the executable that starts this clone's provider, with this clone's Python, where the CLI looks for a plugin.

    On PATH it would do as well, with a warning in every run.
    """
    path = folder(own_home(repository), name, version) / f"pulumi-resource-{name}"
    for other in path.parents[1].glob(f"resource-{name}-v*/"):
        if other != path.parent:
            shutil.rmtree(other)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -u "{repository}/providers/{name}" "$@"\n')
    path.chmod(0o755)
