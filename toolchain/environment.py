"""The environment in which `pulumi` typed by hand does the same as `make up`."""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from toolchain import cache, plugins

REPOSITORY = Path(__file__).parents[1]
LOCAL_PASSPHRASE = "local"  # noqa: S105 - see variables()


def state(repository: Path = REPOSITORY) -> Path:
    """The folder of what belongs to this clone: Pulumi's state of its local stacks, their kubeconfigs, stand-ins."""
    return repository / ".state"


def variables(environ: Mapping[str, str] = os.environ, repository: Path = REPOSITORY) -> dict[str, str]:
    """What to set, on top of `environ`; makes the state's folder."""
    state(repository).mkdir(mode=0o700, exist_ok=True)
    ours = str(cache.bin_dir())
    others = [folder for folder in environ.get("PATH", "").split(os.pathsep) if folder and folder != ours]
    result = {
        "PATH": os.pathsep.join([ours, *others]),
        "PULUMI_HOME": str(plugins.home(repository)),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    if own_backend(environ.get("PULUMI_BACKEND_URL", "")):
        result["PULUMI_BACKEND_URL"] = f"file://{state(repository)}"
    # A known passphrase is as good as none. That is fine for the local stacks alone: their keys open a cluster on this
    # machine, and lie in a folder of its owner's beside the kubeconfig that says the same. Stacks of a real cloud take
    # a passphrase that only their owners know, or better the cloud's KMS as their secrets provider.
    if not {"PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"} & environ.keys():
        result["PULUMI_CONFIG_PASSPHRASE"] = LOCAL_PASSPHRASE
    if plugins.standing_in(repository):
        result["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] = "true"
    return result


def own_backend(url: str) -> bool:
    """Whether the backend is ours to set: none is set, or that of a clone (this one, or one entered before)."""
    return not url or (url.startswith("file://") and url.rstrip("/").endswith("/.state"))


def exports(values: Mapping[str, str]) -> str:
    """Lines for `eval` in any POSIX shell."""
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in values.items())
