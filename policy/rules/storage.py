"""The disks that etcd's members write to."""

from collections.abc import Iterator
from typing import Final

from components.node.machine import Etcd
from policy.resource import Resource
from policy.rule import Config, Severity, resource_rule

EBS: Final = "aws:ebs/volume:Volume"
GCP_DISK: Final = "gcp:compute/disk:Disk"
AZURE_DISK: Final = "azure-native:compute:Disk"
LOCAL_VOLUME: Final = "local:index:Volume"
VOLUMES: Final = (EBS, GCP_DISK, AZURE_DISK, LOCAL_VOLUME)

TYPE_PATH: Final = {EBS: "type", GCP_DISK: "type", AZURE_DISK: "sku.name"}
IOPS_PATH: Final = {EBS: "iops", GCP_DISK: "provisionedIops", AZURE_DISK: "diskIOPSReadWrite"}
FAST: Final = {
    EBS: ("gp3", "io1", "io2"),
    GCP_DISK: ("hyperdisk-balanced", "hyperdisk-extreme", "pd-ssd"),
    AZURE_DISK: ("Premium_LRS", "Premium_ZRS", "PremiumV2_LRS", "UltraSSD_LRS"),
}
"""Solid state disks whose latency does not depend on a burst balance that runs out."""

SIZE_PATH: Final = {EBS: "size", GCP_DISK: "size", AZURE_DISK: "diskSizeGB", LOCAL_VOLUME: "sizeMb"}
QUOTA_GIB: Final = Etcd.model_fields["quota_bytes"].default / 1024**3


def token(volume: Resource) -> str:
    """The type under which the tables know a volume."""
    return next(kind for kind in VOLUMES if volume.is_a(kind))


def carries_member(volume: Resource) -> bool:
    """Whether etcd lives on it: ours always, somebody else's if it says so."""
    return volume.in_control_plane or "etcd" in volume.label


@resource_rule(
    types=(EBS, GCP_DISK, AZURE_DISK),
    severity=Severity.HIGH,
    satisfy="AWS: gp3 with 3000 IOPS. Azure: PremiumV2_LRS. GCP: hyperdisk-balanced.",
    schema={
        "iops": {
            "type": "integer",
            "minimum": 1,
            "default": 3000,
            "description": "Operations per second, where the disk says how many it has (gp3 has 3000 at least).",
        }
    },
)
def member_volumes_are_fast(volume: Resource, config: Config) -> Iterator[str]:
    """etcd syncs every write to disk; a slow disk is a slow leader, and a slow leader is an election."""
    if not carries_member(volume):
        return
    kind = token(volume)
    disk = volume.properties.text(TYPE_PATH[kind]).rsplit("/", 1)[-1]
    iops = volume.properties.number(IOPS_PATH[kind])
    if disk not in FAST[kind]:
        yield f"{TYPE_PATH[kind]} is {disk or 'not set'}; set one of {', '.join(FAST[kind])}."
    elif iops is not None and iops < config["iops"]:
        yield f"{IOPS_PATH[kind]} is {iops:g}; set {config['iops']} or more."


@resource_rule(
    types=VOLUMES,
    severity=Severity.HIGH,
    satisfy="Give it room for etcd's quota and a defragmentation beside it: 10 GiB for a quota of 8.",
)
def member_volumes_hold_the_quota(volume: Resource, config: Config) -> Iterator[str]:
    """etcd stops taking writes when its disk is full, on every member at about the same time."""
    kind = token(volume)
    size = volume.properties.number(SIZE_PATH[kind]) if carries_member(volume) else None
    gib = size / 1024 if size is not None and kind == LOCAL_VOLUME else size
    if gib is not None and gib <= QUOTA_GIB:
        yield f"{gib:g} GiB for a quota of {QUOTA_GIB:g} GiB; make it larger than the quota."


@resource_rule(
    types=VOLUMES,
    severity=Severity.CRITICAL,
    satisfy="ResourceOptions(protect=True).",
)
def member_volumes_are_protected(volume: Resource, config: Config) -> Iterator[str]:
    """A member is its volume: a change that replaces it by mistake is the loss of a member, of all of them at worst."""
    if carries_member(volume) and not volume.protect:
        yield "not protected; set protect."
