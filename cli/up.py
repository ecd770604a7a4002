"""`make up`: the stack, then what the user needs to go on."""

import os
import subprocess
from pathlib import Path

from cli import authorities, deletion, known_passphrase, pending, policies, stale_lock
from cli.engine import Engine
from toolchain import environment
from toolchain.cache import binary
from toolchain.progress import console

LOCAL_NEXT = """\
Try next:
  export KUBECONFIG={kubeconfig}
  kubectl get pods --all-namespaces
  make machines{stack}
  make kill MACHINE=master-1{stack}     it comes back by itself
  make cut ZONE=zone-a{stack}           then: make heal{stack}
  make drill{stack}
  make down{stack}"""
CLOUD_NEXT = """\
Try next:
  export KUBECONFIG={kubeconfig}
  kubectl get pods --all-namespaces
  make preview{stack}"""


def up(engine: Engine) -> int:
    """Bring the stack up and say how to use it; the exit status."""
    known_passphrase.check(engine)
    stale_lock.release(engine)
    engine.select()
    pending.forget(engine)
    authorities.check(engine)
    policies.judge(engine)
    engine.run("up", "--yes", "--skip-preview", "--stack", engine.stack)
    outputs = engine.outputs()
    path = kubeconfig_path(engine.stack)
    write_private(path, str(outputs["kubeconfig"]))
    console.print(f"\nendpoint    {outputs['endpoint']}\nkubeconfig  {path}\n", soft_wrap=True)
    nodes = subprocess.run([binary("kubectl"), "--kubeconfig", path, "get", "nodes"], check=False)
    console.print("\n" + next_steps(engine.stack, path, local=deletion.is_local(engine.resources())), soft_wrap=True)
    return nodes.returncode


def kubeconfig_path(stack: str) -> Path:
    """Where the kubeconfig of a stack is written."""
    return environment.state() / f"kubeconfig-{stack}"


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, at no moment otherwise."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    fresh.replace(path)


def next_steps(stack: str, kubeconfig: Path, *, local: bool) -> str:
    """What to try next, as commands that can be copied."""
    suffix = "" if stack == "local" else f" STACK={stack}"
    return (LOCAL_NEXT if local else CLOUD_NEXT).format(kubeconfig=kubeconfig, stack=suffix)
