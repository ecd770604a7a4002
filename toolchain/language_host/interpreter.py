"""Which Python runs a program or a plugin: the same one that the official host would choose."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


class InterpreterError(Exception):
    """No usable Python; the message says what was looked for."""


@dataclass(frozen=True)
class Interpreter:
    """A Python, and the environment that it is run in."""

    python: str
    env: Mapping[str, str]


def choose(options: Mapping[str, object], root: str, environ: Mapping[str, str] = os.environ) -> Interpreter:
    """The interpreter of `runtime.options.virtualenv`, relative to the folder of its yaml file, else PATH's.

    Raises:
        InterpreterError: the virtual environment is not one, or PATH has no Python.
    """
    virtualenv = options.get("virtualenv")
    if not virtualenv:
        return Interpreter(ambient(environ), environ)
    folder = Path(root, str(virtualenv))
    python = folder / "bin" / "python"
    if not python.is_file():
        raise InterpreterError(f"runtime.options.virtualenv is {virtualenv!r}, but {folder} has no bin/python")
    env = {name: value for name, value in environ.items() if name not in ("PYTHONHOME", "VIRTUAL_ENV")}
    env["VIRTUAL_ENV"] = str(folder)
    env["PATH"] = os.pathsep.join(filter(None, [str(folder / "bin"), environ.get("PATH", "")]))
    return Interpreter(str(python), env)


def ambient(environ: Mapping[str, str]) -> str:
    """The Python on PATH, or what PULUMI_PYTHON_CMD names."""
    names = [command] if (command := environ.get("PULUMI_PYTHON_CMD")) else ["python3", "python"]
    for name in names:
        if found := shutil.which(name, path=environ.get("PATH")):
            return found
    raise InterpreterError(f"no {' or '.join(names)} on PATH, and runtime.options.virtualenv is not set")
