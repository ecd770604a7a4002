"""Started by the engine as a provider plugin, or by people: `python -m providers.local <command>`."""

import sys
from pathlib import Path


def main() -> None:
    """Be the plugin when the engine's address is given, else run the command line."""
    # Started as a folder, the folder itself is on the path, where its modules would hide the standard library's.
    if not __package__:
        sys.path[0] = str(Path(__file__).resolve().parents[2])
    addresses = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    if not __package__ and addresses:
        from providers.interrupts import end_at_once  # noqa: PLC0415 - the path is right only now

        end_at_once()
        from providers.local.provider import serve  # noqa: PLC0415 - as above

        serve(addresses[0])
    else:
        from providers.local.command_line import main as run  # noqa: PLC0415 - the path is right only now

        run()


if __name__ == "__main__":
    main()
