"""The judges of what is rendered, here for what AWS's machines boot with, and an emulated AWS."""

import pytest

from providers.aws.connection import Aws
from tests.rendering.conftest import accepted, tool

__all__ = ["accepted", "tool"]


@pytest.fixture(scope="session")
def aws() -> Aws:
    """An AWS for whoever makes things of names of their own."""
    from providers.aws import emulator  # reads all of moto: for those alone who ask it

    return Aws(emulator.start(), "eu-west-1")
