"""Which of Google's APIs a control plane needs in its project, and the accounts that they act by."""

from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_gcp import organizations, projects

APIS: Final = ("cloudkms", "compute", "container", "gkebackup", "logging", "monitoring", "pubsub")

AGENTS: Final = {
    "compute": "compute-system",
    "container": "container-engine-robot",
    "gkebackup": "gcp-sa-gkebackup",
    "monitoring": "gcp-sa-monitoring-notification",
}
"""API → domain of its service agent (Google's IAM documentation, "Service agents")."""

MADE_WITH_THE_API: Final = ("compute",)
"""The agents of the others are made when they are first asked for."""


@dataclass(frozen=True, kw_only=True)
class ServicesArgs:
    """Where APIs are switched on."""

    project: str


class Services(pulumi.ComponentResource):
    """APIs that stay on when the stack goes: others may use them."""

    def __init__(self, name: str, args: ServicesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kube-ha:gcp:Services", name, None, opts)
        asking = pulumi.InvokeOptions(parent=self)
        self.number = organizations.get_project(project_id=args.project, opts=asking).number
        for api in APIS:
            service = projects.Service(
                f"{name}-{api}",
                project=args.project,
                service=f"{api}.googleapis.com",
                disable_on_destroy=False,
                opts=pulumi.ResourceOptions(parent=self),
            )
            if api in AGENTS and api not in MADE_WITH_THE_API:
                projects.ServiceIdentity(
                    f"{name}-{api}",
                    project=args.project,
                    service=service.service,
                    opts=pulumi.ResourceOptions(parent=service),
                )
        self.register_outputs({})

    def agent(self, api: str) -> str:
        """The member that an API acts as."""
        return f"serviceAccount:service-{self.number}@{AGENTS[api]}.iam.gserviceaccount.com"
