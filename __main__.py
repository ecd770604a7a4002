"""kube-ha: settings → topology → control plane → outputs."""

import pulumi
from pulumi.runtime import config as stack_configuration

from components import outputs
from components.local.self_managed import ControlPlane, ControlPlaneArgs
from components.settings import load

try:
    settings = load(stack_configuration.CONFIG.get())
    topology = settings.topology
except ValueError as error:
    raise pulumi.RunError(f"stack {pulumi.get_stack()}:\n{error}") from None

control_plane = ControlPlane(pulumi.get_stack(), ControlPlaneArgs(settings=settings, topology=topology))
outputs.export(control_plane)
