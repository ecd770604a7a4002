"""Runs a Pulumi program: started by the host with the program's own interpreter.

Arguments: the engine's settings as JSON, the program's path, and the program's own arguments. What goes wrong in the
program reaches the user as one diagnostic; the exit status then is `SHOWN`, so that the engine adds nothing to it.
"""

import asyncio
import json
import logging
import os
import runpy
import signal
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any

SHOWN = 32
"""Exit status that says: it failed, and the user has read why."""


def main(settings: dict[str, Any], program: Path) -> int:
    """Run the program to its end; the exit status."""
    try:
        import pulumi.runtime  # noqa: PLC0415 - the host reads this file without it
    except ImportError as error:
        print(f"{sys.executable} cannot import pulumi: {error}. Is the program's environment installed?", flush=True)
        return 1
    pulumi.runtime.set_all_config(pulumi.runtime.get_config_env(), pulumi.runtime.get_config_secret_keys_env())
    pulumi.runtime.configure(pulumi.runtime.Settings(**settings))
    # The SDK leaves futures unobserved when a program fails; asyncio would report each.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    # Every resource that is being registered holds one thread.
    loop.set_default_executor(ThreadPoolExecutor(max_workers=max(settings["parallel"], 1) * 4))
    try:
        loop.run_until_complete(pulumi.runtime.run_in_stack(lambda: run(program)))
    except BaseException as error:
        return failed(error, program)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def run(program: Path) -> None:
    """Run a file, or the `__main__.py` of a folder."""
    runpy.run_path(str(program), run_name="__main__")


def failed(error: BaseException, program: Path) -> int:
    """Tell the user why the program failed; the exit status."""
    import grpc  # noqa: PLC0415
    import pulumi  # noqa: PLC0415

    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    if isinstance(error, pulumi.RunError):
        pulumi.log.error(str(error))
        return SHOWN
    # The engine is ending and has said why itself.
    if isinstance(error, grpc.RpcError) and error.code() == grpc.StatusCode.UNAVAILABLE:
        return SHOWN
    lines = traceback.format_exception(type(error), error, own_frames(error.__traceback__, program))
    pulumi.log.error("Program failed with an unhandled exception:\n" + "".join(lines))
    return SHOWN


def own_frames(trace: TracebackType | None, program: Path) -> TracebackType | None:
    """The traceback from the program's first frame on; all of it where the program has none."""
    folder = str((program if program.is_dir() else program.parent).resolve())
    frame = trace
    while frame is not None:
        file = frame.tb_frame.f_code.co_filename
        # The virtual environment usually lies in the program's folder.
        if file.startswith(folder) and not file.startswith(sys.prefix):
            return frame
        frame = frame.tb_next
    return trace


if __name__ == "__main__":
    # Interrupted means that the engine is ending: no traceback.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os._exit(0))
    target = Path(sys.argv[2])
    # In place of this file's own folder: the program's modules, while it runs and in what it leaves to run later.
    sys.path[0] = str(target if target.is_dir() else target.parent)
    given = json.loads(sys.argv[1])
    sys.argv = sys.argv[2:]
    sys.exit(main(given, target))
