"""Command line: get every tool of the table, list them, print the environment that uses them."""

import argparse
import signal
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from toolchain import environment, plugins, python_host, store
from toolchain.download import Fetcher
from toolchain.install import Installer, NoWayError
from toolchain.progress import complain, console
from toolchain.tool import Tool
from toolchain.versions import TOOLS, tool
from toolchain.way_error import WayError

Row = tuple[str, str, str]

LOG_WIDTH = 200
INTERRUPTED = 130


def main(arguments: Sequence[str]) -> int:
    """Run one command; the exit status."""
    # An exception, so that what runs is ended and partial folders are removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options = parser().parse_args(arguments)
    if options.command == "env":
        print(environment.exports(environment.variables()))
        return 0
    if options.command == "list":
        show([(tool.name, tool.version, cached(tool)) for tool in TOOLS])
        return 0
    try:
        chosen = [tool(name) for name in options.names] or [tool for tool in TOOLS if not tool.on_demand]
    except KeyError as error:
        complain(error.args[0])
        return 2
    with store.lock(lambda who: console.print(f"waiting for {who}, which is installing tools …")):
        return install(chosen, quiet=options.quiet)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="python -m toolchain", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True)
    tools = commands.add_parser("tools", help="get what is missing, then list what came from where")
    tools.add_argument("names", nargs="*", metavar="TOOL", help="only these (default: the whole table)")
    tools.add_argument("--quiet", action="store_true", help="no list when everything is there")
    commands.add_parser("env", help="print the exports that put the tools on PATH and set Pulumi's backend")
    commands.add_parser("list", help="list the table and what the cache has")
    return top


def install(tools: Sequence[Tool], *, quiet: bool) -> int:
    """Get the tools, as many as can be had, and say at the end which could not; the exit status."""
    installer = Installer()
    rows: list[Row] = []
    errors: list[str] = []
    new = False
    for each in tools:
        try:
            done = installer.install(each)
        except NoWayError as error:
            errors.append(str(error))
            continue
        rows.append((each.name, done.version, done.source))
        new = new or done.new
    if "pulumi" in [name for name, _, _ in rows]:
        more, failed = engine_parts(installer.fetcher)
        rows += more
        errors += failed
    if new or not quiet:
        show(rows)
    for message in errors:
        complain(message)
    return 1 if errors else 0


def engine_parts(fetcher: Fetcher) -> tuple[list[Row], list[str]]:
    """Get what the engine needs besides its CLI: rows of the listing, and errors."""
    rows: list[Row] = []
    try:
        python_host.ensure()
        for plugin in plugins.ensure(environment.REPOSITORY, fetcher):
            rows.append((f"pulumi plugin {plugin.name}", plugin.version, plugin.source))
    except (WayError, plugins.NoPluginError) as error:
        return rows, [str(error)]
    return rows, []


def cached(tool: Tool) -> str:
    """What the cache has of a tool, without asking PATH."""
    receipt = store.receipt(tool)
    return f"{receipt.source}, took {receipt.seconds:.0f} s" if receipt else "not in the cache"


def show(rows: Sequence[Row]) -> None:
    """Print a listing."""
    table = Table("tool", "version", "from", box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    # A log has no width to keep to.
    Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else LOG_WIDTH).print(table)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        console.print("interrupted; run it again and it goes on where it stopped")
        sys.exit(INTERRUPTED)
