"""Stand-in for the official azure-native provider: for rehearsals and tests, held against Azure's own libraries."""

import sys
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
# This folder's modules have names that others may have too: they are imported as providers.azure_native.… alone.
sys.path.remove(str(Path(__file__).resolve().parent))

from providers.interrupts import end_at_once

if __name__ == "__main__":
    end_at_once()

from providers.azure_native.package import package
from providers.published import PublishedStandIn
from providers.stand_in import serve

if __name__ == "__main__":
    serve(PublishedStandIn(package(version("pulumi-azure-native"))))
