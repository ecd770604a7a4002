"""What an engine runs with in a rehearsal: stand-ins where it looks for plugins, and no way to a real account."""

import os
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Final

from toolchain import plugins
from toolchain.cache import binary

STAND_INS: Final = ("aws", "azure-native", "gcp", "random", "tls")
"""As the engine spells their packages; a folder of `providers` has underscores."""

ACCOUNTS: Final = ("ARM_", "AWS_", "AZURE_", "CLOUDSDK_", "GCLOUD_", "GOOGLE_", "PULUMI_")
"""How the names of variables begin that say which account to use, or how."""

PASSPHRASE: Final = "rehearsal"  # noqa: S105 - of a state without a secret of anybody


def stand_in(home: Path, providers: Path) -> None:
    """Have the engine whose PULUMI_HOME is `home` find the stand-ins of the folder `providers`."""
    for name in STAND_INS:
        folder = plugins.folder(home, name, version(f"pulumi-{name}"))
        folder.mkdir(parents=True, exist_ok=True)
        executable = folder / f"pulumi-resource-{name}"
        executable.write_text(f'#!/bin/sh\nexec "{sys.executable}" -u "{providers / name.replace("-", "_")}" "$@"\n')
        executable.chmod(0o755)


def variables(home: Path, state: Path, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What to set on top of `environ`; makes the state's folder."""
    state.mkdir(parents=True, exist_ok=True)
    pulumi = str(binary("pulumi").parent)
    others = [folder for folder in environ.get("PATH", "").split(os.pathsep) if folder and folder != pulumi]
    return {
        "PATH": os.pathsep.join([pulumi, *others]),
        "PULUMI_BACKEND_URL": f"file://{state}",
        "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
        "PULUMI_DEBUG_COMMANDS": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_HOME": str(home),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }


def whole(home: Path, state: Path, cloud: Mapping[str, str], environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Everything that a process of the rehearsal has, the way to the pretended cloud too: nobody's account is in it."""
    ours = {name: value for name, value in environ.items() if not name.startswith(ACCOUNTS)}
    return {**ours, **variables(home, state, ours), **cloud}
