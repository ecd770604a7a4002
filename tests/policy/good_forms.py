"""The other forms in which the same can be written: older resources, inline policies, the other clouds' groups."""

import json

from tests.policy.programs import Declared, Program, Ref, program

READ = json.dumps({"Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]})


def forms() -> Program:
    """Every type that rules judge and that the other good programs do not have."""
    bucket = Declared("aws:s3/bucketV2:BucketV2", "backups", {"bucket": "my-backups"}, protect=True)
    flags = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    refused = {"Effect": "Deny", "Action": "s3:*", "Condition": {"Bool": {"aws:SecureTransport": False}}}
    return program(
        bucket,
        # Linked by the bucket's name in plain text, as in a program that does not pass outputs on.
        Declared(
            "aws:s3/bucketVersioningV2:BucketVersioningV2",
            "backups",
            {"bucket": "my-backups", "versioningConfiguration": {"status": "Enabled"}},
        ),
        Declared(
            "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
            "backups",
            {"bucket": "my-backups", **dict.fromkeys(flags, True)},
        ),
        Declared(
            "aws:s3/bucketPolicy:BucketPolicy", "backups", {"bucket": "my-backups", "policy": {"Statement": [refused]}}
        ),
        Declared(
            "aws:ec2/instance:Instance",
            "master",
            {
                "metadataOptions": {"httpTokens": "required"},
                "rootBlockDevice": {"encrypted": True},
                "associatePublicIpAddress": False,
            },
        ),
        Declared(
            "aws:ec2/securityGroupRule:SecurityGroupRule",
            "clients",
            {"type": "ingress", "protocol": "tcp", "fromPort": 6443, "toPort": 6443, "cidrBlocks": ["10.0.0.0/8"]},
        ),
        *(
            Declared(f"aws:iam/{kind[0].lower()}{kind[1:]}:{kind}", "read", {"policy": READ})
            for kind in ("Policy", "UserPolicy", "GroupPolicy")
        ),
        Declared("aws:iam/role:Role", "read", {"inlinePolicies": [{"name": "read", "policy": READ}]}),
        Declared("aws:ssm/parameter:Parameter", "token", {"type": "SecureString", "keyId": Ref("Key/ours")}),
        Declared("aws:kms/key:Key", "ours", {"enableKeyRotation": True}, protect=True),
        Declared("azure-native:network:PublicIPAddress", "api", {"sku": {"name": "Standard"}}),
        Declared(
            "azure-native:network/v20240501:SecurityRule",
            "clients",
            {
                "direction": "Inbound",
                "access": "Allow",
                "protocol": "Tcp",
                "destinationPortRanges": ["443", "6443"],
                "sourceAddressPrefixes": ["203.0.113.0/24"],
            },
        ),
        Declared(
            "azure-native:containerservice:AgentPool",
            "more",
            {"resourceName": "somewhere-else", "mode": "System", "availabilityZones": ["1"]},
        ),
        Declared(
            "gcp:compute/healthCheck:HealthCheck",
            "api",
            {
                "checkIntervalSec": 2,
                "unhealthyThreshold": 2,
                "httpsHealthCheck": {"port": 6443, "requestPath": "/readyz"},
            },
        ),
        Declared(
            "gcp:compute/instanceTemplate:InstanceTemplate",
            "masters",
            {"networkInterfaces": [{"subnetwork": "masters"}]},
        ),
        *machine_groups(),
        Declared("gcp:projects/iAMBinding:IAMBinding", "masters", {"role": "roles/compute.viewer"}),
        Declared("kubernetes:apps/v1:StatefulSet", "one", {"spec": {"replicas": 1}}),
    )


def machine_groups() -> list[Declared]:
    """GCP's groups under a control plane component; a managed one, so that nothing is said of members."""
    plane = Declared("kube-ha:gcp:ControlPlane", "plane", {"scenario": "production", "controlPlane": "managed"})
    return [
        plane,
        Declared("gcp:compute/instanceGroupManager:InstanceGroupManager", "member-1", {}, plane.key),
        Declared("gcp:compute/regionInstanceGroupManager:RegionInstanceGroupManager", "masters", {}, plane.key),
        Declared("gcp:monitoring/alertPolicy:AlertPolicy", "healthy-masters", {}, plane.key),
    ]
