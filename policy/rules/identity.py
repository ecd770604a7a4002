"""What machines and people may do, and how they prove who they are."""

from collections.abc import Iterator
from typing import Any, Final

from policy.clusters import AKS, GKE
from policy.iam_document import document, statements, texts
from policy.properties import Properties
from policy.resource import Resource
from policy.rule import ALWAYS, Config, Framework, Identifier, Severity, checkov, resource_rule

IAM_POLICIES: Final = (
    "aws:iam/policy:Policy",
    "aws:iam/rolePolicy:RolePolicy",
    "aws:iam/userPolicy:UserPolicy",
    "aws:iam/groupPolicy:GroupPolicy",
)
IAM_ROLE: Final = "aws:iam/role:Role"
AZURE_ROLE: Final = "azure-native:authorization:RoleDefinition"
GCP_BINDINGS: Final = ("gcp:projects/iAMMember:IAMMember", "gcp:projects/iAMBinding:IAMBinding")
BASIC_ROLES: Final = ("roles/owner", "roles/editor")

INSTANCES: Final = ("aws:ec2/launchTemplate:LaunchTemplate", "aws:ec2/instance:Instance")
LOCAL_SECRET: Final = "local:index:Secret"  # noqa: S105 - a type
PEER_AUTHORITY: Final = "etcd-peer-ca"


@resource_rule(
    types=(*IAM_POLICIES, IAM_ROLE, AZURE_ROLE, *GCP_BINDINGS),
    severity=Severity.CRITICAL,
    satisfy="Name the actions that are needed.",
    levels=ALWAYS,
    identifiers=checkov("CKV_AWS_63", "CKV_GCP_117"),
)
def no_policy_allows_everything(resource: Resource, config: Config) -> Iterator[str]:
    """A machine that may do everything makes one stolen token the loss of the account."""
    given = resource.properties
    if resource.is_a(*GCP_BINDINGS):
        if given.text("role") in BASIC_ROLES:
            yield f"role {given.text('role')} may do everything in the project; name a role for what is needed."
    elif resource.is_a(AZURE_ROLE):
        for permission in given.groups("permissions"):
            if "*" in permission.texts("actions"):
                yield "actions has *; name the actions that are needed."
    elif resource.is_a(IAM_ROLE):
        for inline in given.groups("inlinePolicies"):
            yield from everything(inline.any("policy"))
    else:
        yield from everything(document(resource))


def everything(policy: Any) -> Iterator[str]:
    """One line for each statement that allows all actions, of all services or of one."""
    for statement in statements(policy):
        if statement.text("Effect") != "Allow":
            continue
        if statement.has("NotAction"):
            yield "a statement allows all but some actions (NotAction); name the actions that are needed."
        for action in texts(statement, "Action"):
            if action == "*" or action.endswith(":*"):
                yield f"a statement allows {action}; name the actions that are needed."


@resource_rule(
    types=INSTANCES,
    severity=Severity.HIGH,
    satisfy="Set metadataOptions.httpTokens to required.",
    levels=ALWAYS,
    identifiers=checkov("CKV_AWS_79"),
)
def machines_demand_metadata_tokens(machine: Resource, config: Config) -> Iterator[str]:
    """Without tokens (IMDSv2) any program that can be made to fetch an address reads the machine's credentials."""
    options = machine.properties.group("metadataOptions")
    if options.text("httpEndpoint") != "disabled" and options.text("httpTokens") != "required":
        yield f"metadataOptions.httpTokens is {options.text('httpTokens') or 'not set'}; set required."


@resource_rule(
    types=(AKS, GKE),
    severity=Severity.HIGH,
    satisfy="AKS: disableLocalAccounts. GKE: leave masterAuth.clientCertificateConfig.issueClientCertificate out.",
    identifiers=(*checkov("CKV_AZURE_141", "CKV_GCP_13"), Identifier(Framework.CIS_GKE, "5.8.1")),
)
def clusters_know_who_connects(cluster: Resource, config: Config) -> Iterator[str]:
    """A shared administrator's certificate names nobody in the audit log, and cannot be taken from one person."""
    if cluster.is_a(AKS):
        if cluster.properties.flag("disableLocalAccounts") is not True:
            yield "disableLocalAccounts is not set; set it to true."
    elif cluster.properties.flag("masterAuth.clientCertificateConfig.issueClientCertificate"):
        yield "masterAuth issues a client certificate; leave it out."


@resource_rule(
    types=(LOCAL_SECRET,),
    severity=Severity.HIGH,
    satisfy="Let components.secret_readers say who reads what.",
    levels=ALWAYS,
)
def secrets_have_few_readers(secret: Resource, config: Config) -> Iterator[str]:
    """Balancers face every client and need no secret; who has etcd's peer authority can make itself a member."""
    readers = secret.properties.texts("readers")
    if "balancer" in readers:
        yield "balancers may read it; take them off readers."
    if names(secret.properties, PEER_AUTHORITY) and len(set(readers)) > 1:
        yield f"{', '.join(sorted(set(readers)))} may read etcd's peer authority; only machines that run etcd need it."


def names(properties: Properties, *accepted: str) -> bool:
    """Whether a resource has one of these names."""
    return properties.text("name") in accepted
