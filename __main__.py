"""kube-ha: settings → topology → control plane → outputs."""

from importlib import import_module

import pulumi
from pulumi.runtime import config as stack_configuration

from components import control_plane, stack_name
from components.settings import load

try:
    settings = load(stack_configuration.CONFIG.get())
    stack_name.check(pulumi.get_stack(), settings.cloud)
    topology = settings.topology
except ValueError as error:
    raise pulumi.RunError(f"stack {pulumi.get_stack()}:\n{error}") from None

# A cloud's SDK is slow to import and large: only the one that the stack chose is.
cloud = import_module(f"components.{settings.cloud}.{settings.control_plane.module}")
arguments = control_plane.ControlPlaneArgs(settings=settings, topology=topology)
control_plane.export(cloud.ControlPlane(pulumi.get_stack(), arguments))
