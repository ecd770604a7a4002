"""Stand-in for the official tls provider."""

import sys
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from providers.interrupts import end_at_once

if __name__ == "__main__":
    end_at_once()

from providers.stand_in import StandIn, serve
from providers.tls.certificates import KINDS

if __name__ == "__main__":
    serve(StandIn(version("pulumi-tls"), KINDS))
