"""A zone of a cluster on AWS that is cut: its subnets get a network ACL that lets nothing through.

Network ACLs know no connections, so that packets of those that are open vanish too. What stays within one subnet gets
through. The ACL's tags say what each subnet had before; it is made with them, before any subnet gets it.
"""

from collections.abc import Mapping
from typing import Any, Final

from components.node.agent.clouds.aws import CLUSTER_TAG
from components.node.agent.clouds.aws_routes import filters
from drills.injector import InjectionError

DRILL_TAG: Final = "kube-ha:drill"
"""On what a drill harmed or made; its value is the cluster."""
WAS_TAG: Final = "kube-ha:drill-was/"
"""With a subnet's id: the network ACL that the subnet had."""


def cut(ec2: Any, cluster: str, zone: str) -> None:
    """Cut all subnets of the cluster's own in a zone; `ec2` is boto3's client.

    Raises:
        InjectionError: there are none, or a cut is there already.
    """
    if _cuts(ec2, cluster):
        raise InjectionError(f"cut {zone}: a zone of {cluster} is cut already; heal it first")
    subnets = ec2.describe_subnets(Filters=filters({f"tag:{CLUSTER_TAG}": cluster, "availability-zone": zone}))
    wanted = [subnet["SubnetId"] for subnet in subnets["Subnets"]]
    if not wanted:
        raise InjectionError(f"cut {zone}: no subnet there carries {CLUSTER_TAG}={cluster}, and others' are not cut")
    had = ec2.describe_network_acls(Filters=[{"Name": "association.subnet-id", "Values": wanted}])["NetworkAcls"]
    entries = [entry for acl in had for entry in acl["Associations"] if entry["SubnetId"] in wanted]
    marks = {DRILL_TAG: cluster} | {f"{WAS_TAG}{entry['SubnetId']}": entry["NetworkAclId"] for entry in entries}
    tagged = [{"ResourceType": "network-acl", "Tags": [{"Key": key, "Value": value} for key, value in marks.items()]}]
    # One that nothing was added to lets nothing through, in either direction.
    made = ec2.create_network_acl(VpcId=subnets["Subnets"][0]["VpcId"], TagSpecifications=tagged)["NetworkAcl"]
    for entry in entries:
        _give(ec2, entry, made["NetworkAclId"])


def heal(ec2: Any, cluster: str) -> None:
    """Give every subnet of a cut the network ACL that it had, and remove the cut's."""
    for acl in _cuts(ec2, cluster):
        for entry in acl["Associations"]:
            _give(ec2, entry, tags(acl)[f"{WAS_TAG}{entry['SubnetId']}"])
        ec2.delete_network_acl(NetworkAclId=acl["NetworkAclId"])


def tags(thing: Mapping[str, Any]) -> dict[str, str]:
    """EC2's tags as a mapping."""
    return {tag["Key"]: tag["Value"] for tag in thing.get("Tags", ())}


def _cuts(ec2: Any, cluster: str) -> list[Any]:
    return list(ec2.describe_network_acls(Filters=filters({f"tag:{DRILL_TAG}": cluster}))["NetworkAcls"])


def _give(ec2: Any, entry: Mapping[str, str], acl: str) -> None:
    ec2.replace_network_acl_association(AssociationId=entry["NetworkAclAssociationId"], NetworkAclId=acl)
