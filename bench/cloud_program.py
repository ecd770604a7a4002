"""What a stack's program on a cloud costs before anything is made: `pulumi preview` on the stand-ins.

Against a bare program that asks AWS the same and registers as many resources of the same types with the same inputs.
"""

import json
import re
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench import spread
from components.aws.machine_types import HERE, IMAGE
from rehearsal import environment
from rehearsal.project import REPOSITORY, Project
from rehearsal.scenes import scene
from toolchain.cache import binary

BARE: Final = """
import importlib, json
import pulumi

for module, name in {classes}:
    getattr(importlib.import_module(module), name)
for token, given in {lookups}:
    pulumi.runtime.invoke(token, given)
for number, (kind, name, custom, inputs) in enumerate(json.load(open("resources.json"))):
    if custom:
        pulumi.CustomResource(kind, f"{{name}}-{{number}}", inputs)
    else:
        pulumi.ComponentResource(kind, f"{{name}}-{{number}}")
"""
PROJECT: Final = "name: bare\nruntime: {{name: python, options: {{virtualenv: {virtualenv}}}}}\n"
ENGINES_OWN: Final = ("pulumi:pulumi:Stack", "pulumi:providers:")
MORE_MEMBERS: Final = 7
"""To see how the cost grows with the number of machines: prod-aws has 5."""


Described = tuple[str, str, bool, Mapping[str, Any]]
"""Type, name, whether a provider makes it, and inputs of a resource."""


@dataclass(frozen=True)
class Program:
    """A folder with a program, and what the engine runs with there."""

    folder: Path
    env: Mapping[str, str]

    def preview(self, *options: str) -> tuple[list[dict[str, Any]], float]:
        """Its steps, and the seconds that a preview takes."""
        command = [str(binary("pulumi")), "preview", "--json", "--non-interactive", *options]
        begun = time.monotonic()
        done = subprocess.run(command, cwd=self.folder, env=self.env, stdout=subprocess.PIPE, text=True, check=True)
        return json.loads(done.stdout)["steps"], time.monotonic() - begun

    def begin(self, stack: str) -> None:
        """A stack of this program."""
        command = [str(binary("pulumi")), "stack", "select", "--create", stack, "--non-interactive"]
        subprocess.run(command, cwd=self.folder, env=self.env, capture_output=True, check=True)


def measured(stack: str, runs: int) -> list[spread.Row]:
    """The rows of the table; own and bare program take turns, so that both see the same machine."""
    with ExitStack() as until:
        folder = until.enter_context(tempfile.TemporaryDirectory())
        project = Project(Path(folder) / "project", stack)
        settings = project.settings
        cloud = until.enter_context(scene(project, settings))
        env = environment.whole(project.home, project.state, cloud.environment)
        own = Program(project.folder, env)
        own.begin(stack)
        steps, _ = own.preview()
        bare = bare_program(Path(folder) / "bare", env, steps)
        judged = ("--policy-pack", str(project.program / "policy"))
        took = [(own.preview()[1], own.preview(*judged)[1], bare.preview()[1]) for _ in range(runs)]
        plain, with_policies, without = zip(*took, strict=True)
        grown = grown_up(project, own) if settings.topology.external_etcd else []
    return [
        spread.row(f"pulumi preview of {stack}, {len(steps)} resources", plain, "s"),
        spread.row("… judged by the policies", with_policies, "s"),
        spread.row("bare program with the same resources", without, "s"),
        spread.row("program / bare program", ratios(plain, without), ""),
        spread.row("with the policies / without", ratios(with_policies, plain), ""),
        *grown,
    ]


def grown_up(project: Project, own: Program) -> list[spread.Row]:
    """The same with more machines."""
    project.configure({"etcd": {"members": MORE_MEMBERS}})
    more, longer = own.preview()
    return [spread.row(f"pulumi preview with {MORE_MEMBERS} members, {len(more)} resources", [longer], "s")]


def ratios(own: Sequence[float], bare: Sequence[float]) -> list[float]:
    """One per turn."""
    return [one / other for one, other in zip(own, bare, strict=True)]


def bare_program(folder: Path, env: Mapping[str, str], steps: Sequence[Mapping[str, Any]]) -> Program:
    """A program without functions, components or values that depend on each other, with the imports that it needs."""
    folder.mkdir()
    found = [described(step["newState"]) for step in steps]
    resources = [one for one in found if not one[0].startswith(ENGINES_OWN)]
    (folder / "resources.json").write_text(json.dumps(resources))
    classes = sorted({known for kind, _, custom, _ in resources if custom and (known := class_of(kind))})
    on_aws = any(kind.startswith("aws:") for kind, _, _, _ in resources)
    asked = lookups(resources) if on_aws else []
    (folder / "__main__.py").write_text(BARE.format(classes=classes, lookups=asked))
    (folder / "Pulumi.yaml").write_text(PROJECT.format(virtualenv=REPOSITORY / ".venv"))
    (folder / "Pulumi.bare.yaml").write_text("config: {aws:region: eu-west-1}\n")
    program = Program(folder, env)
    program.begin("bare")
    return program


def lookups(resources: Sequence[Described]) -> list[tuple[str, dict[str, str]]]:
    """What the program asks AWS for, by the lookup's token."""
    types = sorted({inputs["instanceType"] for _, _, _, inputs in resources if "instanceType" in inputs})
    return [
        ("aws:index/getCallerIdentity:getCallerIdentity", {}),
        ("aws:index/getPartition:getPartition", {}),
        *(("aws:ec2/getInstanceType:getInstanceType", {"instanceType": name}) for name in types),
        ("aws:ssm/getParameter:getParameter", {"name": IMAGE.format(architecture=HERE)}),
    ]


def described(state: Mapping[str, Any]) -> Described:
    """A resource, as a preview's state has it."""
    inputs = {name: value for name, value in (state.get("inputs") or {}).items() if not name.startswith("__")}
    return state["type"], state["urn"].rsplit("::", 1)[1], bool(state.get("custom")), inputs


def class_of(kind: str) -> tuple[str, str] | None:
    """Module and name of the SDK's class for a type: `aws:ec2/vpc:Vpc` → `pulumi_aws.ec2`, `Vpc`; also without the
    part after the slash, as Azure's types are.

    A typed program has it, and with it comes its whole namespace: most of what a preview costs.
    """
    found = re.fullmatch(r"(aws|azure-native|gcp):(\w+)(?:/\w+)?:(\w+)", kind)
    return (f"pulumi_{found[1].replace('-', '_')}.{found[2]}", found[3]) if found else None
