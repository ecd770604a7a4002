"""Launch templates, groups, hooks and volumes, by EC2's and Auto Scaling's requests."""

from typing import Any, Final

from providers.aws.connection import Aws
from providers.aws.kind import Kind, Made, Properties, Request, names, pascal, pick, tag_list, tag_specification
from providers.aws.network import arn, in_region

TEMPLATE: Final = names(
    "imageId instanceType iamInstanceProfile vpcSecurityGroupIds userData instanceInitiatedShutdownBehavior"
    " metadataOptions monitoring blockDeviceMappings tagSpecifications"
)
GROUP_SIZES: Final = "minSize maxSize desiredCapacity healthCheckType healthCheckGracePeriod instanceMaintenancePolicy"
HOOK: Final = "autoscalingGroupName lifecycleTransition heartbeatTimeout defaultResult"


def template_data(given: Properties) -> dict[str, Any]:
    """A launch template's content as EC2 takes it."""
    data: dict[str, Any] = pascal({name: given[name] for name in TEMPLATE if name in given})
    data["SecurityGroupIds"] = data.pop("VpcSecurityGroupIds", None)
    for mapping in data.get("BlockDeviceMappings", []):
        for flag in ("Encrypted", "DeleteOnTermination"):
            mapping["Ebs"][flag] = mapping["Ebs"][flag] == "true"
    for specification in data.get("TagSpecifications", []):
        specification["Tags"] = tag_list(specification["Tags"])
    if len(given.get("userData", "")) * 3 // 4 > 16 * 1024:
        raise ValueError("userData: User data is limited to 16384 bytes")
    return {name: value for name, value in data.items() if value is not None}


def make_template(aws: Aws, request: Request) -> Made:
    made = aws(
        "ec2",
        "create_launch_template",
        LaunchTemplateName=request.inputs["name"],
        LaunchTemplateData=template_data(request.inputs),
        TagSpecifications=tag_specification("launch-template", request.tags),
    )["LaunchTemplate"]
    identity = made["LaunchTemplateId"]
    return Made(identity, {"arn": arn(aws, f"launch-template/{identity}"), "latestVersion": 1, "defaultVersion": 1})


def change_template(aws: Aws, identity: str, before: Properties, request: Request) -> Properties:
    data = template_data(request.inputs)
    made = aws("ec2", "create_launch_template_version", LaunchTemplateId=identity, LaunchTemplateData=data)
    version = made["LaunchTemplateVersion"]["VersionNumber"]
    aws("ec2", "modify_launch_template", LaunchTemplateId=identity, DefaultVersion=str(version))
    return {"latestVersion": version, "defaultVersion": version}


def make_volume(aws: Aws, request: Request) -> Made:
    given = request.inputs
    in_region(aws, given["availabilityZone"])
    made = aws(
        "ec2",
        "create_volume",
        VolumeType=given["type"],
        **pick(given, "availabilityZone size iops encrypted kmsKeyId"),
        TagSpecifications=tag_specification("volume", request.tags),
    )
    return Made(made["VolumeId"], {"arn": arn(aws, f"volume/{made['VolumeId']}")})


def group_parameters(given: Properties) -> dict[str, Any]:
    """What a creation and a change of a group have in common."""
    template = given["launchTemplate"]
    return {
        "AutoScalingGroupName": given["name"],
        **pick(given, GROUP_SIZES),
        "VPCZoneIdentifier": ",".join(given["vpcZoneIdentifiers"]),
        "LaunchTemplate": {"LaunchTemplateId": template["id"], "Version": template["version"]},
    }


def make_group(aws: Aws, request: Request) -> Made:
    given = request.inputs
    group = given["name"]
    tags = [pascal({**tag, "resourceId": group, "resourceType": "auto-scaling-group"}) for tag in given["tags"]]
    targets = given.get("targetGroupArns")
    aws(
        "autoscaling",
        "create_auto_scaling_group",
        **group_parameters(given),
        TargetGroupARNs=targets or None,
        Tags=tags,
    )
    aws(
        "autoscaling",
        "enable_metrics_collection",
        AutoScalingGroupName=group,
        Granularity=given["metricsGranularity"],
        Metrics=given["enabledMetrics"],
    )
    (made,) = find_group(aws, group, given)
    return Made(group, {"arn": made["AutoScalingGroupARN"]})


def change_group(aws: Aws, identity: str, before: Properties, request: Request) -> Properties:
    aws("autoscaling", "update_auto_scaling_group", **group_parameters(request.inputs))
    return {}


def find_group(aws: Aws, identity: str, state: Properties) -> Any:
    return aws("autoscaling", "describe_auto_scaling_groups", AutoScalingGroupNames=[identity])["AutoScalingGroups"]


def make_hook(aws: Aws, request: Request) -> Made:
    given = request.inputs
    aws("autoscaling", "put_lifecycle_hook", LifecycleHookName=given["name"], **hook_parameters(given))
    return Made(given["name"])


def change_hook(aws: Aws, identity: str, before: Properties, request: Request) -> Properties:
    aws("autoscaling", "put_lifecycle_hook", LifecycleHookName=identity, **hook_parameters(request.inputs))
    return {}


def hook_parameters(given: Properties) -> dict[str, Any]:
    parameters = pick(given, HOOK)
    group = parameters.pop("AutoscalingGroupName")
    return {**parameters, "AutoScalingGroupName": group}


KINDS: Final = {
    "aws:ec2/launchTemplate:LaunchTemplate": Kind(
        inputs=TEMPLATE | names("name updateDefaultVersion tags"),
        named="name",
        replaces=names("name"),
        changing=names("latestVersion defaultVersion"),
        create=make_template,
        update=change_template,
        find=lambda aws, identity, state: aws("ec2", "describe_launch_templates", LaunchTemplateIds=[identity])[
            "LaunchTemplates"
        ],
        delete=lambda aws, identity, state: aws("ec2", "delete_launch_template", LaunchTemplateId=identity),
    ),
    "aws:ebs/volume:Volume": Kind(
        inputs=names("availabilityZone type size iops encrypted kmsKeyId tags"),
        create=make_volume,
        find=lambda aws, identity, state: aws("ec2", "describe_volumes", VolumeIds=[identity])["Volumes"],
        delete=lambda aws, identity, state: aws("ec2", "delete_volume", VolumeId=identity),
    ),
    "aws:autoscaling/group:Group": Kind(
        inputs=names(
            f"{GROUP_SIZES} name vpcZoneIdentifiers launchTemplate targetGroupArns enabledMetrics metricsGranularity"
            " waitForElbCapacity waitForCapacityTimeout tags"
        ),
        default_tags=False,
        named="name",
        replaces=names("name targetGroupArns enabledMetrics metricsGranularity tags"),
        create=make_group,
        update=change_group,
        find=find_group,
        delete=lambda aws, identity, state: aws(
            "autoscaling", "delete_auto_scaling_group", AutoScalingGroupName=identity, ForceDelete=True
        ),
    ),
    "aws:autoscaling/lifecycleHook:LifecycleHook": Kind(
        inputs=names(f"{HOOK} name"),
        named="name",
        replaces=names("name autoscalingGroupName lifecycleTransition"),
        create=make_hook,
        update=change_hook,
        find=lambda aws, identity, state: aws(
            "autoscaling",
            "describe_lifecycle_hooks",
            AutoScalingGroupName=state["autoscalingGroupName"],
            LifecycleHookNames=[identity],
        )["LifecycleHooks"],
        delete=lambda aws, identity, state: aws(
            "autoscaling",
            "delete_lifecycle_hook",
            AutoScalingGroupName=state["autoscalingGroupName"],
            LifecycleHookName=identity,
        ),
    ),
}
