"""A local cloud of each test's own: its root, a tiny image, and the real engine with a program."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from providers.local.client import Client
from providers.local.purge import purge
from tests.provider import tiny_image

REPOSITORY = Path(__file__).resolve().parents[2]
CACHED_TOOLS = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kube-ha" / "bin"
CIDR = "10.199.0.0/16"
STACK = "provider-test"


@pytest.fixture(scope="session")
def image() -> Iterator[Path]:
    """A machine image that boots at once."""
    if os.geteuid():
        pytest.skip("boots machines: needs root")
    if not shutil.which("systemd-nspawn"):
        pytest.skip("boots machines: systemd-nspawn is not installed (run `make tools`)")
    with tempfile.TemporaryDirectory(prefix="kha-image-") as folder:
        yield tiny_image.build(Path(folder))


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The root of an empty local cloud, which is empty again at the end."""
    # Not pytest's own folder: the path of a unix socket ends at 107 characters.
    with tempfile.TemporaryDirectory(prefix="kha-") as folder:
        path = Path(folder) / "root"
        monkeypatch.setenv("KUBE_HA_LOCAL_ROOT", str(path))
        yield path
        client = Client(path)
        if client.has_anything:
            purge(client, STACK)


@pytest.fixture
def client(root: Path) -> Client:
    """A client of that cloud."""
    return Client(root)


def owner(name: str, stack: str = STACK) -> dict[str, str]:
    """The owner of a resource called `name`."""
    return {"stack": stack, "urn": f"urn:pulumi:{stack}::test::local:index:Any::{name}"}


@pytest.fixture
def put(client: Client) -> Callable[..., dict[str, Any]]:
    """Create a resource straight through the control API."""

    def create(resource_id: str, kind: str, **spec: Any) -> dict[str, Any]:
        return client.put(resource_id, {"kind": kind, "owner": owner(resource_id), "spec": spec})

    return create


class Engine:
    """The real Pulumi engine with a project of its own."""

    def __init__(self, folder: Path, root: Path, pulumi: str) -> None:
        self.folder, self.root, self.pulumi = folder, root, pulumi
        self.environment = os.environ | {
            "PATH": f"{Path(pulumi).parent}{os.pathsep}{os.environ['PATH']}",
            "PULUMI_BACKEND_URL": f"file://{folder}",
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_SKIP_UPDATE_CHECK": "1",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "KUBE_HA_LOCAL_ROOT": str(root),
        }
        project = {
            "name": "test",
            "runtime": {"name": "python", "options": {"virtualenv": sys.prefix}},
            "plugins": {"providers": [{"name": "local", "path": str(REPOSITORY / "providers" / "local")}]},
        }
        (folder / "Pulumi.yaml").write_text(json.dumps(project))
        self.program("")
        self.run("stack", "init", STACK)

    def program(self, text: str) -> None:
        """Write the program; the resource classes and `pulumi` are imported."""
        head = f"import sys; sys.path.insert(0, {str(REPOSITORY)!r})\nimport pulumi\n"
        head += "from providers.local.resources import *\n"
        (self.folder / "__main__.py").write_text(head + textwrap.dedent(text))

    def start(self, *argv: str) -> subprocess.Popen[str]:
        """Start a command of the engine in a process group of its own, as a terminal does."""
        return subprocess.Popen(
            [self.pulumi, "--non-interactive", "--color", "never", *argv],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *argv: str, fails: bool = False) -> str:
        """Run a command of the engine; what it prints."""
        process = self.start(*argv)
        try:
            output, _ = process.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        assert (process.returncode != 0) == fails, output
        return output

    def up(self, *, fails: bool = False) -> str:
        """`pulumi up`; what it prints."""
        return self.run("up", "--yes", "--skip-preview", fails=fails)

    def restore(self, state: str) -> None:
        """Make the stack's state what it once was."""
        (self.folder / "state.json").write_text(state)
        self.run("stack", "import", "--file", "state.json")

    def state(self) -> str:
        """The stack's state as JSON."""
        return self.run("stack", "export")


@pytest.fixture
def engine(tmp_path: Path, root: Path) -> Engine:
    """The engine, with an empty stack."""
    found = shutil.which("pulumi", path=f"{os.environ['PATH']}{os.pathsep}{CACHED_TOOLS}")
    if not found:
        pytest.skip("pulumi is not on PATH (run `make tools`)")
    return Engine(tmp_path, root, str(Path(found)))
