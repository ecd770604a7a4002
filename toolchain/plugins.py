"""The provider plugins tls and random: the official ones where they can be downloaded, else the stand-ins of this
repository.

A stack keeps the kind that it began with: once a clone has a stand-in it stays, until `.state/bin` is removed.
"""

import importlib.metadata
import os
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


def stand_in(repository: Path, name: str) -> Path:
    """Where the executable that stands in for a plugin is, or would be."""
    return repository / ".state" / "bin" / f"pulumi-resource-{name}"


def home() -> Path:
    """PULUMI_HOME: the user's, or a folder of the cache."""
    return Path(os.environ.get("PULUMI_HOME") or cache.root() / "pulumi")


def ensure(repository: Path, name: str, fetcher: Fetcher) -> Plugin:
    """Have one plugin ready.

    Raises:
        NoPluginError: nothing worked.
    """
    version = importlib.metadata.version(f"pulumi-{name}")
    installed = home() / "plugins" / f"resource-{name}-v{version}"
    official = Plugin(name, version, "official plugin")
    if stand_in(repository, name).exists():
        write_stand_in(repository, name)
        return Plugin(name, version, f"stand-in providers/{name}")
    if installed.is_dir():
        return official
    try:
        install(name, version, fetcher)
    except WayError as error:
        if not (repository / "providers" / name).is_dir():
            raise NoPluginError(
                f"provider plugin {name} {version}: no way to get it worked\n"
                f"  official download: {error}\n  stand-in: no folder providers/{name} in {repository}"
            ) from error
        write_stand_in(repository, name)
        return Plugin(name, version, f"stand-in providers/{name} ({error})")
    return official


def install(name: str, version: str, fetcher: Fetcher) -> None:
    """Have the CLI download a plugin.

    Raises:
        WayError: it cannot be reached, or the CLI's own reason.
    """
    fetcher.reach(PLUGIN_HOST)
    command = [str(cache.binary("pulumi")), "plugin", "install", "resource", name, version]
    env = {**os.environ, "PULUMI_HOME": str(home()), "PULUMI_SKIP_UPDATE_CHECK": "true"}
    with step(f"provider plugin {name} {version}: official download"):
        try:
            subprocess.run(command, env=env, capture_output=True, text=True, check=True, timeout=INSTALL_SECONDS)
        except subprocess.CalledProcessError as error:
            raise WayError(error.stderr.strip() or f"ended with {error.returncode}") from error
        except subprocess.TimeoutExpired as error:
            raise WayError(f"took more than {INSTALL_SECONDS} s") from error


def write_stand_in(repository: Path, name: str) -> None:
    """Write the executable that starts this repository's provider with this repository's Python."""
    path = stand_in(repository, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -u "{repository}/providers/{name}" "$@"\n')
    path.chmod(0o755)
