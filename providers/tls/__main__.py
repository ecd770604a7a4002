"""Stand-in for the official tls provider."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from providers.stand_in import StandIn, serve
from providers.tls.certificates import KINDS

if __name__ == "__main__":
    serve(StandIn("5.2.0", KINDS))
