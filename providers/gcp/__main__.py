"""Stand-in for the official gcp provider: for rehearsals and tests, held against Google's discovery documents."""

import sys
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
# This folder's modules have names that others may have too: they are imported as providers.gcp.… alone.
sys.path.remove(str(Path(__file__).resolve().parent))

from providers.interrupts import end_at_once

if __name__ == "__main__":
    end_at_once()

from providers.gcp.package import package
from providers.published import PublishedStandIn
from providers.stand_in import serve

if __name__ == "__main__":
    serve(PublishedStandIn(package(version("pulumi-gcp"))))
