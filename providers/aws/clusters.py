"""EKS clusters, their nodes and what belongs to them, by EKS' requests."""

from typing import Any, Final

from providers.aws.connection import Aws
from providers.aws.kind import Kind, Made, Properties, Request, names

AS_SPELT: Final = (
    "name version roleArn kubernetesNetworkConfig accessConfig bootstrapSelfManagedAddons controlPlaneScalingConfig"
    " upgradePolicy zonalShiftConfig deletionProtection"
)
"""Properties that EKS spells as Pulumi does."""

CHANGEABLE: Final = ("controlPlaneScalingConfig", "upgradePolicy", "zonalShiftConfig", "deletionProtection")
"""Each by a request of its own: EKS refuses two kinds of change at once."""

NODES: Final = (
    "clusterName nodegroupName scalingConfig instanceTypes amiType capacityType updateConfig nodeRepairConfig"
    " launchTemplate"
)
ADD_ON: Final = "clusterName addonName configurationValues podIdentityAssociations"

SERVICE: Final = "eks"


def given(inputs: Properties, text: str) -> dict[str, Any]:
    """Some properties, as both spell them; those that are not given are left out."""
    return {name: inputs[name] for name in text.split() if name in inputs}


def network_of(aws: Aws, inputs: Properties) -> dict[str, Any]:
    """Where a cluster is reached, refused as EKS refuses it and its emulator does not."""
    config: dict[str, Any] = inputs["vpcConfig"]
    subnets = aws("ec2", "describe_subnets", SubnetIds=config["subnetIds"])["Subnets"]
    zones = {subnet["AvailabilityZone"] for subnet in subnets}
    if len(zones) < 2:
        raise ValueError(f"vpcConfig.subnetIds: in {len(zones)} zone ({', '.join(zones)}); EKS wants two or more")
    aws("ec2", "describe_security_groups", GroupIds=config.get("securityGroupIds", []))
    if not config.get("endpointPrivateAccess") and config.get("endpointPublicAccess") is False:
        raise ValueError("vpcConfig: neither the private nor the public endpoint is on; EKS wants one or both")
    if config.get("publicAccessCidrs") and not config.get("endpointPublicAccess"):
        raise ValueError("vpcConfig.publicAccessCidrs: the public endpoint is off")
    return config


def logging_of(inputs: Properties) -> dict[str, Any] | None:
    """Which logs of the control plane are on."""
    kinds = inputs.get("enabledClusterLogTypes")
    return {"clusterLogging": [{"types": kinds, "enabled": True}]} if kinds else None


def make_cluster(aws: Aws, request: Request) -> Made:
    inputs = request.inputs
    encryption = inputs.get("encryptionConfig")
    if encryption:
        aws("kms", "describe_key", KeyId=encryption["provider"]["keyArn"])
    aws("iam", "get_role", RoleName=inputs["roleArn"].rsplit("/", 1)[-1])
    made = aws(
        SERVICE,
        "create_cluster",
        **given(inputs, AS_SPELT),
        resourcesVpcConfig=network_of(aws, inputs),
        logging=logging_of(inputs),
        encryptionConfig=[encryption] if encryption else None,
        tags=dict(request.tags),
    )["cluster"]
    outputs = {
        "arn": made["arn"],
        "endpoint": made["endpoint"],
        "certificateAuthority": made["certificateAuthority"],
        "status": made["status"],
    }
    return Made(inputs["name"], {**outputs, "version": inputs.get("version", made["version"])})


def change_cluster(aws: Aws, identity: str, before: Properties, request: Request) -> Properties:
    inputs = request.inputs
    for name in CHANGEABLE:
        if inputs.get(name) != before.get(name):
            aws.check(SERVICE, "update_cluster_config", name=identity, **{name: inputs.get(name)})
    if inputs["vpcConfig"] != before["vpcConfig"]:
        aws(SERVICE, "update_cluster_config", name=identity, resourcesVpcConfig=network_of(aws, inputs))
    if inputs.get("enabledClusterLogTypes") != before.get("enabledClusterLogTypes"):
        aws(SERVICE, "update_cluster_config", name=identity, logging=logging_of(inputs))
    if "version" in inputs and inputs["version"] != before["version"]:
        aws.check(SERVICE, "update_cluster_version", name=identity, version=inputs["version"])
    return {"version": inputs.get("version", before["version"])}


def make_nodes(aws: Aws, request: Request) -> Made:
    inputs = request.inputs
    template = inputs.get("launchTemplate", {})
    if template:
        aws("ec2", "describe_launch_template_versions", LaunchTemplateId=template["id"], Versions=[template["version"]])
    aws("ec2", "describe_subnets", SubnetIds=inputs["subnetIds"])
    made = aws(
        SERVICE,
        "create_nodegroup",
        **given(inputs, NODES),
        nodeRole=inputs["nodeRoleArn"],
        subnets=inputs["subnetIds"],
        tags=dict(request.tags),
    )["nodegroup"]
    outputs = {"arn": made["nodegroupArn"], "status": made["status"], "resources": [made["resources"]]}
    return Made(f"{inputs['clusterName']}:{inputs['nodegroupName']}", outputs)


def change_nodes(aws: Aws, identity: str, before: Properties, request: Request) -> Properties:
    inputs = request.inputs
    named = {"clusterName": inputs["clusterName"], "nodegroupName": inputs["nodegroupName"]}
    config = given(inputs, "scalingConfig updateConfig nodeRepairConfig")
    aws(SERVICE, "update_nodegroup_config", **named, **config)
    if inputs.get("launchTemplate") != before.get("launchTemplate"):
        aws.check(SERVICE, "update_nodegroup_version", **named, launchTemplate=inputs["launchTemplate"])
    return {}


def check_add_on(aws: Aws, request: Request) -> Made:
    inputs = request.inputs
    aws(SERVICE, "describe_cluster", name=inputs["clusterName"])
    aws.check(
        SERVICE,
        "create_addon",
        **given(inputs, ADD_ON),
        resolveConflicts=inputs.get("resolveConflictsOnCreate"),
        tags=dict(request.tags),
    )
    return Made(f"{inputs['clusterName']}:{inputs['addonName']}")


def check_add_on_change(aws: Aws, identity: str, before: Properties, request: Request) -> Properties:
    inputs = request.inputs
    aws.check(SERVICE, "update_addon", **given(inputs, ADD_ON), resolveConflicts=inputs.get("resolveConflictsOnUpdate"))
    return {}


def check_entry(aws: Aws, request: Request) -> Made:
    inputs = request.inputs
    aws(SERVICE, "describe_cluster", name=inputs["clusterName"])
    entry = given(inputs, "clusterName principalArn type kubernetesGroups")
    aws.check(SERVICE, "create_access_entry", **entry, tags=dict(request.tags))
    return Made(f"{inputs['clusterName']}:{inputs['principalArn']}")


def check_association(aws: Aws, request: Request) -> Made:
    inputs = request.inputs
    aws.check(SERVICE, "associate_access_policy", **given(inputs, "clusterName principalArn policyArn accessScope"))
    return Made(f"{inputs['clusterName']}#{inputs['principalArn']}#{inputs['policyArn']}")


def nodes_named(identity: str) -> dict[str, str]:
    """A group of nodes by its two names."""
    cluster, group = identity.split(":")
    return {"clusterName": cluster, "nodegroupName": group}


KINDS: Final = {
    "aws:eks/cluster:Cluster": Kind(
        inputs=names(f"{AS_SPELT} vpcConfig enabledClusterLogTypes encryptionConfig tags"),
        named="name",
        replaces=names(
            "name roleArn kubernetesNetworkConfig accessConfig bootstrapSelfManagedAddons encryptionConfig tags"
        ),
        create=make_cluster,
        update=change_cluster,
        find=lambda aws, identity, state: aws(SERVICE, "describe_cluster", name=identity),
        delete=lambda aws, identity, state: aws(SERVICE, "delete_cluster", name=identity),
    ),
    "aws:eks/nodeGroup:NodeGroup": Kind(
        inputs=names("nodeGroupName clusterName nodeRoleArn subnetIds scalingConfig instanceTypes amiType capacityType")
        | names("updateConfig nodeRepairConfig launchTemplate tags"),
        named="nodeGroupName",
        replaces=names("nodeGroupName clusterName nodeRoleArn subnetIds instanceTypes amiType capacityType tags"),
        create=lambda aws, request: make_nodes(aws, spelt(request)),
        update=lambda aws, identity, before, request: change_nodes(aws, identity, before, spelt(request)),
        find=lambda aws, identity, state: aws(SERVICE, "describe_nodegroup", **nodes_named(identity)),
        delete=lambda aws, identity, state: aws(SERVICE, "delete_nodegroup", **nodes_named(identity)),
    ),
    "aws:eks/addon:Addon": Kind(
        inputs=names(f"{ADD_ON} resolveConflictsOnCreate resolveConflictsOnUpdate tags"),
        replaces=names("clusterName addonName tags"),
        create=check_add_on,
        update=check_add_on_change,
        emulated=False,
    ),
    "aws:eks/accessEntry:AccessEntry": Kind(
        inputs=names("clusterName principalArn type kubernetesGroups tags"), create=check_entry, emulated=False
    ),
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": Kind(
        inputs=names("clusterName principalArn policyArn accessScope"), create=check_association, emulated=False
    ),
}


def spelt(request: Request) -> Request:
    """A request for nodes in EKS' own spelling of their name."""
    inputs = dict(request.inputs)
    inputs["nodegroupName"] = inputs.pop("nodeGroupName")
    return Request(inputs=inputs, tags=request.tags)
