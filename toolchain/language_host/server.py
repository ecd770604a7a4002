"""What the engine asks of a language, answered for Python."""

import importlib.metadata
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import grpc
from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

from .children import Children
from .interpreter import Interpreter, InterpreterError, choose
from .program import SHOWN

HERE = Path(__file__).parent
# Enough for the answer to Cancel to reach the engine, which would report a broken connection otherwise.
FAREWELL_SECONDS = 0.05

Context = grpc.ServicerContext


class Host(language_pb2_grpc.LanguageRuntimeServicer):
    """The service that one engine talks to."""

    def __init__(self, engine_address: str) -> None:
        self.engine_address = engine_address
        self.children = Children()

    def Handshake(  # noqa: N802
        self, request: language_pb2.LanguageHandshakeRequest, context: Context
    ) -> language_pb2.LanguageHandshakeResponse:
        self.engine_address = request.engine_address or self.engine_address
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: empty_pb2.Empty, context: Context) -> plugin_pb2.PluginInfo:  # noqa: N802
        return plugin_pb2.PluginInfo(version=importlib.metadata.version("pulumi"))

    def GetRequiredPackages(  # noqa: N802
        self, request: language_pb2.GetRequiredPackagesRequest, context: Context
    ) -> language_pb2.GetRequiredPackagesResponse:
        # None on purpose: every installed SDK would name its plugin, used or not, and the engine would ask for each.
        # A resource of the program makes the engine ask for the plugin that it needs.
        return language_pb2.GetRequiredPackagesResponse()

    def GetRequiredPlugins(  # noqa: N802
        self, request: language_pb2.GetRequiredPluginsRequest, context: Context
    ) -> language_pb2.GetRequiredPluginsResponse:
        return language_pb2.GetRequiredPluginsResponse()

    def About(self, request: language_pb2.AboutRequest, context: Context) -> language_pb2.AboutResponse:  # noqa: N802
        python = chosen(request.info, context)
        script = "import platform; print(platform.python_version())"
        version = self.children.output([python.python, "-c", script], request.info.root_directory, python.env)
        return language_pb2.AboutResponse(executable=python.python, version=version.strip())

    def GetProgramDependencies(  # noqa: N802
        self, request: language_pb2.GetProgramDependenciesRequest, context: Context
    ) -> language_pb2.GetProgramDependenciesResponse:
        python = chosen(request.info, context)
        which = "all" if request.transitiveDependencies else "direct"
        command = [python.python, str(HERE / "dependencies.py"), which]
        listed = json.loads(self.children.output(command, request.info.root_directory, python.env))
        return language_pb2.GetProgramDependenciesResponse(
            dependencies=[language_pb2.DependencyInfo(name=name, version=version) for name, version in listed]
        )

    def Run(self, request: language_pb2.RunRequest, context: Context) -> language_pb2.RunResponse:  # noqa: N802
        python = chosen(request.info, context)
        program = Path(request.info.program_directory, request.info.entry_point)
        arguments = {
            "project": request.project,
            "stack": request.stack,
            "organization": request.organization or "organization",
            "root_directory": request.info.root_directory,
            "monitor": request.monitor_address,
            "engine": self.engine_address,
            "parallel": request.parallel,
            "dry_run": request.dryRun,
        }
        env = {
            **python.env,
            "PULUMI_CONFIG": json.dumps(dict(request.config)),
            "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
        }
        command = [python.python, "-u", str(HERE / "program.py"), json.dumps(arguments), str(program), *request.args]
        status = self.children.run(command, request.pwd, env)
        if status == SHOWN:
            return language_pb2.RunResponse(bail=True)
        return language_pb2.RunResponse(error=f"the program ended with exit status {status}" if status else "")

    def RunPlugin(  # noqa: N802
        self, request: language_pb2.RunPluginRequest, context: Context
    ) -> Iterator[language_pb2.RunPluginResponse]:
        python = chosen(request.info, context)
        folder = request.info.program_directory
        if request.kind == "analyzer":
            command, cwd = [python.python, "-u", "-m", "pulumi.policy", *request.args, folder], folder
        else:
            command, cwd = [python.python, "-u", folder, *request.args], request.pwd
        env = {**python.env, **dict(pair.partition("=")[::2] for pair in request.env)}
        # What the plugin's own environment says of these two is the engine's, not of the plugin's interpreter.
        env.update({name: python.env[name] for name in ("PATH", "VIRTUAL_ENV") if name in python.env})
        for piece in self.children.stream(command, cwd, env):
            if isinstance(piece, int):
                yield language_pb2.RunPluginResponse(exitcode=piece)
            elif piece[0] == "stdout":
                yield language_pb2.RunPluginResponse(stdout=piece[1])
            else:
                yield language_pb2.RunPluginResponse(stderr=piece[1])

    def Cancel(self, request: empty_pb2.Empty, context: Context) -> empty_pb2.Empty:  # noqa: N802
        self.children.end()
        threading.Timer(FAREWELL_SECONDS, os._exit, [0]).start()
        return empty_pb2.Empty()


def chosen(info: language_pb2.ProgramInfo, context: Context) -> Interpreter:
    """The interpreter of a program or a plugin; ends the request with a clear reason where there is none."""
    try:
        return choose(json_format.MessageToDict(info.options), info.root_directory)
    except InterpreterError as error:
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
