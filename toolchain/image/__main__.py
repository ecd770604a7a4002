"""Command line: `python -m toolchain.image` builds the machine image and the artifacts, if anything has changed."""

import signal
import sys
from types import FrameType

from toolchain.cache import MissingToolError
from toolchain.image.build import build
from toolchain.image.command import ImageError
from toolchain.progress import console


def main() -> int:
    """Build; the exit status."""
    signal.signal(signal.SIGTERM, end)
    try:
        built = build()
    except (ImageError, MissingToolError) as error:
        console.print(f"machine image: {error}", style="red", soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        console.print("machine image: interrupted; the next run goes on where this one stopped", style="red")
        return 130
    print(f"machine image: {built.image}, {len(built.artifacts)} artifacts")
    return 0


def end(number: int, frame: FrameType | None) -> None:
    """Let a termination unwind as Ctrl-C does, so that partial results are removed."""
    raise KeyboardInterrupt


sys.exit(main())
