"""The judges of what is rendered, here for what AWS's machines boot with."""

from tests.rendering.conftest import accepted, tool

__all__ = ["accepted", "tool"]
