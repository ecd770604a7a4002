"""Prints what is installed beside a program as JSON: run with the program's own interpreter, `all` or `direct`."""

import importlib.metadata
import json
import re
import sys


def main(which: str) -> None:
    """Print `[[name, version], …]`; direct ones are those that no other package requires."""
    installed = {dist.metadata["Name"]: dist for dist in importlib.metadata.distributions()}
    required = {
        normal(re.split(r"[\s<>=!~;\[(]", requirement, maxsplit=1)[0])
        for dist in installed.values()
        for requirement in dist.requires or ()
    }
    names = sorted(name for name in installed if which == "all" or normal(name) not in required)
    print(json.dumps([[name, installed[name].version] for name in names]))


def normal(name: str) -> str:
    """A package's name as the index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    main(sys.argv[1])
