"""Good programs: every rule of the pack passes them. Each broken program changes one thing of one of these."""

import json
from typing import Any

from components.declaration import declaration
from components.settings import load
from tests.policy.good_forms import forms
from tests.policy.programs import Declared, Program, Ref, program

EKS_SUBNETS = [
    Declared("aws:ec2/subnet:Subnet", f"private-{letter}", {"availabilityZone": f"eu-west-1{letter}"})
    for letter in "abc"
]


def eks() -> Program:
    """EKS as somebody else would write it."""
    return program(
        *EKS_SUBNETS,
        Declared(
            "aws:eks/cluster:Cluster",
            "cluster",
            {
                "vpcConfig": {
                    "subnetIds": [Ref(subnet.key) for subnet in EKS_SUBNETS],
                    "endpointPrivateAccess": True,
                    "endpointPublicAccess": True,
                    "publicAccessCidrs": ["203.0.113.0/24"],
                },
                "enabledClusterLogTypes": ["api", "audit", "authenticator", "controllerManager", "scheduler"],
                "encryptionConfig": {"provider": {"keyArn": Ref("Key/secrets")}, "resources": ["secrets"]},
                "deletionProtection": True,
                "zonalShiftConfig": {"enabled": True},
            },
        ),
        Declared("aws:kms/key:Key", "secrets", {"enableKeyRotation": True}, protect=True),
        Declared("aws:cloudwatch/metricAlarm:MetricAlarm", "api-errors"),
    )


def aks() -> Program:
    """AKS as somebody else would write it, in a version of the API."""
    return program(
        Declared(
            "azure-native:containerservice/v20250801:ManagedCluster",
            "cluster",
            {
                "sku": {"name": "Base", "tier": "Standard"},
                "agentPoolProfiles": [{"name": "system", "mode": "System", "availabilityZones": ["1", "2", "3"]}],
                "apiServerAccessProfile": {"authorizedIPRanges": ["203.0.113.0/24"]},
                "networkProfile": {"loadBalancerSku": "standard"},
                "disableLocalAccounts": True,
                "securityProfile": {"azureKeyVaultKms": {"enabled": True, "keyId": "https://vault/keys/secrets"}},
                "azureMonitorProfile": {"metrics": {"enabled": True}},
                "autoUpgradeProfile": {"upgradeChannel": "stable"},
            },
            protect=True,
        ),
        Declared(
            "azure-native:monitor:DiagnosticSetting",
            "logs",
            {"resourceUri": Ref("ManagedCluster/cluster"), "logs": [{"category": "kube-audit", "enabled": True}]},
        ),
        Declared("azure-native:monitor:MetricAlert", "api-errors"),
    )


def gke() -> Program:
    """GKE as somebody else would write it."""
    components = ["SYSTEM_COMPONENTS", "APISERVER", "SCHEDULER", "CONTROLLER_MANAGER"]
    return program(
        Declared(
            "gcp:container/cluster:Cluster",
            "cluster",
            {
                "location": "europe-west1",
                "privateClusterConfig": {"enablePrivateNodes": True},
                "masterAuthorizedNetworksConfig": {"cidrBlocks": [{"cidrBlock": "203.0.113.0/24"}]},
                "masterAuth": {"clientCertificateConfig": {"issueClientCertificate": False}},
                "releaseChannel": {"channel": "STABLE"},
                "databaseEncryption": {"state": "ENCRYPTED", "keyName": Ref("CryptoKey/secrets")},
                "loggingConfig": {"enableComponents": components},
                "monitoringConfig": {"enableComponents": components},
                "deletionProtection": True,
            },
        ),
        Declared("gcp:kms/cryptoKey:CryptoKey", "secrets", {"rotationPeriod": "7776000s"}, protect=True),
        Declared("gcp:monitoring/alertPolicy:AlertPolicy", "api-errors"),
    )


def declared(cloud: str, scenario: str, **settings: str) -> dict[str, Any]:
    """What a control plane of ours declares, and what its component gives."""
    read = load({"kube-ha:cloud": cloud, "kube-ha:scenario": scenario, **settings})
    return declaration(read, read.topology)


def local() -> Program:
    """The shape of this repository's local control plane in the critical scenario."""
    plane = Declared("kube-ha:local:ControlPlane", "plane", declared("local", "critical"))
    zones = ("zone-a", "zone-b", "zone-c")
    group = "local:index:MachineGroup"
    return program(
        plane,
        Declared(group, "masters", {"role": "master", "slots": [{"zone": zone} for zone in zones]}, plane.key),
        Declared(group, "balancers", {"role": "balancer", "slots": [{"zone": zone} for zone in zones[:2]]}, plane.key),
        Declared("local:index:Volume", "member-1", {"zone": "zone-a", "sizeMb": 10240}, plane.key, protect=True),
        Declared("local:index:Bucket", "plane", {"name": "plane"}, plane.key, protect=True),
        Declared("local:index:Secret", "etcd-peer-ca", {"name": "etcd-peer-ca", "readers": ["member"]}, plane.key),
    )


TLS_ONLY = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": "*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    },
}
READ_SNAPSHOTS = {
    "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::snapshots/*"}]
}


def aws() -> Program:
    """Machines on AWS under a component of ours."""
    plane = Declared(
        "kube-ha:aws:ControlPlane", "plane", declared("aws", "production", **{"kube-ha:region": "eu-west-1"})
    )
    ours = plane.key
    bucket = Declared("aws:s3/bucket:Bucket", "plane", {}, ours, protect=True)
    flags = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    return program(
        plane,
        *EKS_SUBNETS,
        Declared(
            "aws:autoscaling/group:Group",
            "masters",
            {"vpcZoneIdentifiers": [Ref(subnet.key) for subnet in EKS_SUBNETS], "healthCheckType": "EC2"},
            ours,
        ),
        Declared(
            "aws:ec2/launchTemplate:LaunchTemplate",
            "masters",
            {
                "metadataOptions": {"httpTokens": "required"},
                "blockDeviceMappings": [{"deviceName": "/dev/xvda", "ebs": {"volumeSize": 30, "encrypted": "true"}}],
                "networkInterfaces": [{"associatePublicIpAddress": "false"}],
            },
            ours,
        ),
        Declared(
            "aws:ebs/volume:Volume",
            "master-1",
            {"type": "gp3", "iops": 3000, "size": 20, "encrypted": True},
            ours,
            protect=True,
        ),
        Declared(
            "aws:lb/loadBalancer:LoadBalancer",
            "plane",
            {"loadBalancerType": "network", "enableCrossZoneLoadBalancing": True, "enableDeletionProtection": True},
            ours,
        ),
        Declared(
            "aws:lb/targetGroup:TargetGroup",
            "plane",
            {
                "port": 6443,
                "healthCheck": {"protocol": "HTTPS", "path": "/readyz", "interval": 5, "unhealthyThreshold": 2},
            },
            ours,
        ),
        Declared(
            "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
            "clients",
            {"ipProtocol": "tcp", "fromPort": 6443, "toPort": 6443, "cidrIpv4": "10.77.0.0/16"},
            ours,
        ),
        bucket,
        Declared(
            "aws:s3/bucketVersioning:BucketVersioning",
            "plane",
            {"bucket": Ref(bucket.key), "versioningConfiguration": {"status": "Enabled"}},
            ours,
        ),
        Declared(
            "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
            "plane",
            {"bucket": Ref(bucket.key), **dict.fromkeys(flags, True)},
            ours,
        ),
        Declared(
            "aws:s3/bucketPolicy:BucketPolicy",
            "plane",
            {"bucket": Ref(bucket.key), "policy": json.dumps(TLS_ONLY)},
            ours,
        ),
        Declared("aws:kms/key:Key", "plane", {"enableKeyRotation": True}, ours, protect=True),
        Declared("aws:secretsmanager/secret:Secret", "etcd-peer-ca", {"kmsKeyId": Ref("Key/plane")}, ours),
        Declared("aws:iam/rolePolicy:RolePolicy", "masters", {"policy": json.dumps(READ_SNAPSHOTS)}, ours),
        Declared("aws:cloudwatch/metricAlarm:MetricAlarm", "healthy-masters", {}, ours),
    )


def beside() -> Program:
    """What somebody wrote beside: disks, buckets and firewalls of Azure and GCP that say what they are for."""
    return program(
        Declared("gcp:compute/disk:Disk", "gcp-etcd-1", {"type": "pd-ssd", "size": 20}, protect=True),
        Declared(
            "gcp:storage/bucket:Bucket",
            "etcd-snapshots",
            {"versioning": {"enabled": True}, "publicAccessPrevention": "enforced"},
            protect=True,
        ),
        Declared(
            "gcp:compute/firewall:Firewall",
            "api",
            {"allows": [{"protocol": "tcp", "ports": ["6443"]}], "sourceRanges": ["10.0.0.0/8"]},
        ),
        Declared(
            "gcp:compute/regionHealthCheck:RegionHealthCheck",
            "api",
            {
                "checkIntervalSec": 2,
                "unhealthyThreshold": 2,
                "httpsHealthCheck": {"port": 6443, "requestPath": "/readyz"},
            },
        ),
        Declared("gcp:projects/iAMMember:IAMMember", "masters", {"role": "roles/compute.viewer"}),
        Declared(
            "azure-native:compute:Disk",
            "azure-etcd-1",
            {"sku": {"name": "PremiumV2_LRS"}, "diskSizeGB": 20},
            protect=True,
        ),
        Declared(
            "azure-native:storage:StorageAccount",
            "etcdsnapshots",
            {"allowBlobPublicAccess": False, "enableHttpsTrafficOnly": True},
            protect=True,
        ),
        Declared(
            "azure-native:storage:BlobServiceProperties",
            "etcdsnapshots",
            {"accountName": Ref("StorageAccount/etcdsnapshots"), "isVersioningEnabled": True},
        ),
        Declared(
            "azure-native:network:LoadBalancer",
            "api",
            {
                "sku": {"name": "Standard"},
                "probes": [
                    {
                        "port": 6443,
                        "protocol": "Https",
                        "requestPath": "/readyz",
                        "intervalInSeconds": 5,
                        "probeThreshold": 2,
                    }
                ],
            },
        ),
        Declared(
            "azure-native:network:NetworkSecurityGroup",
            "masters",
            {
                "securityRules": [
                    {
                        "direction": "Inbound",
                        "access": "Allow",
                        "protocol": "Tcp",
                        "destinationPortRange": "6443",
                        "sourceAddressPrefix": "10.0.0.0/8",
                    }
                ]
            },
        ),
        Declared("azure-native:authorization:RoleDefinition", "masters", {"permissions": [{"actions": ["x/read"]}]}),
        Declared(
            "aws:ec2/securityGroup:SecurityGroup",
            "bastion",
            {"ingress": [{"protocol": "tcp", "fromPort": 22, "toPort": 22, "cidrBlocks": ["192.0.2.0/24"]}]},
        ),
    )


def workloads() -> Program:
    """What is applied to the cluster."""
    labels = {"app": "coredns"}
    spread = [{"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule"}]
    return program(
        Declared(
            "kubernetes:apps/v1:Deployment",
            "coredns",
            {
                "metadata": {"namespace": "kube-system"},
                "spec": {
                    "replicas": 2,
                    "template": {"metadata": {"labels": labels}, "spec": {"topologySpreadConstraints": spread}},
                },
            },
        ),
        Declared(
            "kubernetes:policy/v1:PodDisruptionBudget",
            "coredns",
            {"metadata": {"namespace": "kube-system"}, "spec": {"selector": {"matchLabels": labels}}},
        ),
    )


GOOD = {build.__name__: build for build in (eks, aks, gke, local, aws, beside, forms, workloads)}
