"""The Python language host, as the real engine sees it."""

import json
import os
import runpy
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import language_pb2_grpc

from toolchain.language_host.interpreter import InterpreterError, choose
from toolchain.language_host.program import own_frames

REPOSITORY = Path(__file__).parents[2]
PULUMI = shutil.which("pulumi")
VIRTUAL_ENVIRONMENT = Path(sys.prefix)
engine = [
    pytest.mark.engine,
    pytest.mark.skipif(PULUMI is None, reason='pulumi is not on PATH: eval "$(make -s env)"'),
]

PROJECT = f"""
name: three-lines
runtime: {{name: python, options: {{virtualenv: {VIRTUAL_ENVIRONMENT}}}}}
config:
  greeting: hello
"""
PROGRAM = """
import pulumi
config = pulumi.Config()
pulumi.export("greeting", config.require("greeting"))
pulumi.export("token", config.require_secret("token"))
"""
PACK = """
from pulumi_policy import EnforcementLevel, PolicyPack, StackValidationPolicy

def refuse(args, report):
    report("this stack is refused")

policy = StackValidationPolicy(name="refuse", description="Refuses every stack.", validate=refuse)
PolicyPack("refuses", enforcement_level=EnforcementLevel.MANDATORY, policies=[policy])
"""


class Project:
    """A Pulumi project in a folder, with a backend of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "state").mkdir()
        (folder / "Pulumi.yaml").write_text(PROJECT)
        self.env = {
            **os.environ,
            "PULUMI_BACKEND_URL": f"file://{folder}/state",
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
        self.program(PROGRAM)
        self.run("stack", "init", "test")
        self.run("config", "set", "--secret", "token", "hidden")

    def program(self, text: str) -> None:
        (self.folder / "__main__.py").write_text(text)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        assert PULUMI is not None
        return subprocess.Popen(
            [PULUMI, *arguments, "--non-interactive"],
            cwd=self.folder,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str, status: int = 0) -> str:
        with self.start(*arguments) as process:
            output, _ = process.communicate(timeout=120)
        assert (process.returncode == 0) == (status == 0), output
        return output


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    folder = tmp_path / "project"
    folder.mkdir()
    yield Project(folder)


class TestEngine:
    """Needs the real engine."""

    pytestmark = engine

    def test_up_exports_configuration_and_keeps_secrets_secret(self, project: Project) -> None:
        assert "1 created" in project.run("up", "--yes", "--skip-preview")
        assert json.loads(project.run("stack", "output", "--json")) == {"greeting": "hello", "token": "[secret]"}
        shown = json.loads(project.run("stack", "output", "--json", "--show-secrets"))
        assert shown == {"greeting": "hello", "token": "hidden"}
        assert "hidden" not in "".join(path.read_text() for path in (project.folder / "state").rglob("*.json"))

    def test_a_second_up_says_no_changes_and_warns_of_nothing(self, project: Project) -> None:
        project.run("up", "--yes", "--skip-preview")
        output = project.run("up", "--yes", "--skip-preview")
        assert "1 unchanged" in output
        assert "warning" not in output

    def test_refresh_and_destroy(self, project: Project) -> None:
        project.run("up", "--yes", "--skip-preview")
        assert "1 unchanged" in project.run("refresh", "--yes", "--skip-preview")
        assert "1 deleted" in project.run("destroy", "--yes", "--skip-preview")

    def test_a_run_error_reaches_the_user_as_its_message_alone(self, project: Project) -> None:
        project.program('import pulumi\nraise pulumi.RunError("etcd.members: 4 is even")\n')
        output = project.run("preview", status=1)
        assert "error: etcd.members: 4 is even" in output
        assert "Traceback" not in output
        assert "unhandled" not in output

    def test_an_exception_reaches_the_user_with_the_programs_own_frames_only(self, project: Project) -> None:
        project.program('def inner():\n    return {}["absent"]\n\ninner()\n')
        output = project.run("up", "--yes", "--skip-preview", status=1)
        assert "Program failed with an unhandled exception" in output
        assert "KeyError: 'absent'" in output
        assert f'{project.folder}/__main__.py", line 2, in inner' in output
        assert "runpy" not in output
        assert "language_host" not in output

    def test_a_program_that_ends_itself_fails_the_run_with_its_status(self, project: Project) -> None:
        project.program("import sys\nsys.exit(3)\n")
        assert "exit status 3" in project.run("preview", status=1)

    def test_what_runs_later_still_imports_the_programs_modules(self, project: Project) -> None:
        (project.folder / "later.py").write_text("VALUE = 'imported later'\n")
        project.program(
            "import pulumi\n"
            "def late(_):\n    import later\n    return later.VALUE\n"
            'pulumi.export("late", pulumi.Output.from_input(1).apply(late))\n'
        )
        project.run("up", "--yes", "--skip-preview")
        assert json.loads(project.run("stack", "output", "--json"))["late"] == "imported later"

    def test_a_policy_pack_that_is_violated_fails_the_preview(self, project: Project) -> None:
        pack = project.folder / "pack"
        pack.mkdir()
        options = f"runtime: {{name: python, options: {{virtualenv: {VIRTUAL_ENVIRONMENT}}}}}\n"
        (pack / "PulumiPolicy.yaml").write_text(options)
        (pack / "__main__.py").write_text(PACK)
        output = project.run("preview", "--policy-pack", str(pack), status=1)
        assert "this stack is refused" in output

    def test_about_names_the_projects_interpreter_and_what_is_installed(self, project: Project) -> None:
        about = json.loads(project.run("about", "--json"))
        assert about["runtime"]["executable"] == str(VIRTUAL_ENVIRONMENT / "bin/python")
        assert "pulumi-policy" in {dependency["name"].replace("_", "-") for dependency in about["dependencies"]}

    def test_a_missing_virtual_environment_is_named(self, project: Project) -> None:
        (project.folder / "Pulumi.yaml").write_text(PROJECT.replace(str(VIRTUAL_ENVIRONMENT), "absent"))
        assert "absent" in project.run("preview", status=1)

    def test_an_interrupt_ends_a_hanging_program_at_once_and_the_next_up_works(self, project: Project) -> None:
        project.program("import time, pathlib\npathlib.Path('started').touch()\ntime.sleep(300)\n")
        with project.start("up", "--yes", "--skip-preview") as process:
            wait_for(project.folder / "started")
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=60)
        assert "Traceback" not in output
        project.program(PROGRAM)
        project.run("up", "--yes", "--skip-preview")

    def test_nothing_outlives_an_engine_that_was_killed(self, project: Project) -> None:
        project.program(
            "import os, pathlib, time\n"
            "pathlib.Path('pids').write_text(f'{os.getpid()} {os.getppid()}')\n"
            "pathlib.Path('started').touch()\n"
            "time.sleep(300)\n"
        )
        with project.start("up", "--yes", "--skip-preview") as process:
            wait_for(project.folder / "started")
            process.kill()
        pids = [int(pid) for pid in (project.folder / "pids").read_text().split()]
        deadline = time.monotonic() + 60
        while any(Path(f"/proc/{pid}").exists() for pid in pids):
            assert time.monotonic() < deadline, "the host or the program still runs"
            time.sleep(0.1)


@pytest.fixture
def host() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A host whose engine is this test, and its address."""
    command = [sys.executable, "-m", "toolchain.language_host", "127.0.0.1:1"]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process, f"127.0.0.1:{process.stdout.readline().strip()}"
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_host_ends_in_silence_when_it_is_told_to(
    host: tuple[subprocess.Popen[str], str], number: signal.Signals
) -> None:
    # The engine waits 5 s for each plugin that does not, and shows what it prints.
    process, _ = host
    process.send_signal(number)
    assert process.wait(timeout=30) == 0


def test_the_host_answers_cancel_and_ends(host: tuple[subprocess.Popen[str], str]) -> None:
    process, address = host
    with grpc.insecure_channel(address) as channel:
        language_pb2_grpc.LanguageRuntimeStub(channel).Cancel(empty_pb2.Empty())
    assert process.wait(timeout=30) == 0


def test_a_traceback_begins_in_the_program_even_where_its_environment_is_in_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library, program = tmp_path / ".venv/lib/sdk.py", tmp_path / "__main__.py"
    library.parent.mkdir(parents=True)
    library.write_text("def call(it):\n    it()\n")
    program.write_text("raise KeyError('absent')\n")
    monkeypatch.setattr(sys, "prefix", str(tmp_path / ".venv"))
    call = runpy.run_path(str(library))["call"]
    with pytest.raises(KeyError) as caught:
        call(lambda: runpy.run_path(str(program)))
    first = own_frames(caught.value.__traceback__, tmp_path)
    assert first is not None
    assert first.tb_frame.f_code.co_filename == str(program)


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} never came"
        time.sleep(0.05)


def test_a_relative_virtual_environment_is_relative_to_the_projects_folder(tmp_path: Path) -> None:
    python = tmp_path / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.touch()
    chosen = choose({"virtualenv": ".venv"}, str(tmp_path), {"PATH": "/usr/bin", "PYTHONHOME": "/elsewhere"})
    assert chosen.python == str(python)
    assert chosen.env == {"PATH": f"{python.parent}:/usr/bin", "VIRTUAL_ENV": str(tmp_path / ".venv")}


def test_a_virtual_environment_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InterpreterError, match=r"virtualenv is '\.venv', but .* has no bin/python"):
        choose({"virtualenv": ".venv"}, str(tmp_path), {})


def test_without_one_paths_python_runs_the_program(tmp_path: Path) -> None:
    (tmp_path / "python3").touch(mode=0o755)
    assert choose({}, "/", {"PATH": str(tmp_path)}).python == str(tmp_path / "python3")
    with pytest.raises(InterpreterError, match="no python3 or python on PATH"):
        choose({}, "/", {"PATH": str(tmp_path / "empty")})
