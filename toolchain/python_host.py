"""Puts the Python language host beside a pulumi that was built from Go modules.

The official download carries its own. Ours is the program of `toolchain/language_host` in a virtual environment of its
own, in the cache: it must outlive the clone that it was installed from.
"""

import hashlib
import shutil
import sys
from pathlib import Path

from toolchain import store
from toolchain.progress import step
from toolchain.tool import Match, Tool
from toolchain.versions import PULUMI
from toolchain.versions import tool as tool_named
from toolchain.way_error import run

NAME = "pulumi-language-python"
SOURCES = Path(__file__).parent / "language_host"
LOCK = Path(__file__).parents[1] / "requirements.lock"


def fingerprint() -> str:
    """What the host is made of: its sources, and the Python that runs it."""
    digest = hashlib.sha256(f"{sys.base_prefix} {sys.version}".encode())
    for path in sorted(SOURCES.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def ensure() -> None:
    """Put the host beside pulumi where pulumi was built and has no host of its own.

    Raises:
        WayError: the host's environment could not be made.
    """
    pulumi = tool_named("pulumi")
    beside = store.folder(pulumi) / NAME
    if not (store.folder(pulumi) / "pulumi").exists() or (beside.exists() and not beside.is_symlink()):
        return
    host = Tool(name=NAME, version=f"{PULUMI}-{fingerprint()}", binaries={NAME: NAME}, match=Match.NEVER)
    if not (store.folder(host) / "venv/bin/python").exists():
        with step(f"{NAME} {PULUMI}: virtual environment"), store.partial(host) as made:
            make(made, store.folder(host))
            store.publish(host, made, store.Receipt(source="toolchain/language_host", seconds=0))
    store.replace_link(beside, store.folder(host) / NAME)


def make(into: Path, final: Path) -> None:
    """Make the host in `into`; its launcher names the folder that it will have in the end."""
    python = into / "venv/bin/python"
    run([sys.executable, "-m", "uv", "venv", "--quiet", "--python", sys.executable, str(into / "venv")])
    # The lock as constraints: its versions and its hashes, of what the SDK needs.
    install = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", str(python)]
    run([*install, "--constraint", str(LOCK), "pulumi"])
    package = next((into / "venv/lib").glob("python3*/site-packages")) / "language_host"
    shutil.copytree(SOURCES, package, ignore=shutil.ignore_patterns("__pycache__"))
    launcher = into / NAME
    # -I: neither the program's folder nor the user's environment may change what the host imports.
    launcher.write_text(f'#!/bin/sh\nexec "{final}/venv/bin/python" -I -u -m language_host "$@"\n')
    launcher.chmod(0o755)
