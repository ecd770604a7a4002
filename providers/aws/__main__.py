"""Stand-in for the official aws provider: for rehearsals and tests, on an emulator of AWS."""

import sys
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
# This folder's modules have names that others may have too: they are imported as providers.aws.… alone.
sys.path.remove(str(Path(__file__).resolve().parent))

from providers.interrupts import end_at_once

if __name__ == "__main__":
    end_at_once()

from providers.aws.provider import AwsStandIn
from providers.stand_in import serve

if __name__ == "__main__":
    serve(AwsStandIn(version("pulumi-aws")))
