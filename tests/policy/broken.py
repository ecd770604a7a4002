"""The broken programs: one or more for each rule, each a good program with one thing changed."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.policy.good import GOOD, TLS_ONLY
from tests.policy.programs import Absent, Program, changed, without


@dataclass(frozen=True)
class Broken:
    """A program that exactly one rule refuses."""

    rule: str
    good: str
    """Name of the good program."""
    what: str
    change: Callable[[Program], Program]

    @property
    def program(self) -> Program:
        return self.change(GOOD[self.good]())

    def __str__(self) -> str:
        return f"{self.rule}: {self.good}, {self.what}"


def sets(rule: str, good: str, key: str, path: str, value: Any) -> Broken:
    """One property has another value."""
    what = f"{key} {path}" + (" is gone" if value is Absent else f" = {str(value)[:40]}")
    return Broken(rule, good, what, lambda program: changed(program, key, path, value))


def lacks(rule: str, good: str, key: str) -> Broken:
    """One resource is not there."""
    return Broken(rule, good, f"no {key}", lambda program: without(program, key))


EKS, AKS, GKE = "Cluster/cluster", "ManagedCluster/cluster", "Cluster/cluster"
PLANE = "ControlPlane/plane"
RULE = "SecurityGroupIngressRule/clients"
EVERYTHING = json.dumps({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
ALL_OF_S3 = json.dumps({"Statement": {"Effect": "Allow", "Action": ["s3:*"], "Resource": "*"}})
WITH_HTTP = json.dumps({"Statement": [{**TLS_ONLY["Statement"], "Effect": "Allow"}]})  # type: ignore[dict-item]
ANY_SSH = [{"protocol": "tcp", "fromPort": 0, "toPort": 1024, "cidrBlocks": ["0.0.0.0/0"]}]
HALF = [{"protocol": "tcp", "fromPort": 22, "toPort": 22, "cidrBlocks": ["128.0.0.0/1"]}]
SSH_V6 = [{"protocol": "tcp", "fromPort": 22, "toPort": 22, "ipv6CidrBlocks": ["::/0"]}]
ETCD_OPEN = [{"protocol": "tcp", "fromPort": 2379, "toPort": 2380, "cidrBlocks": ["0.0.0.0/0"]}]
NETWORK_CARD = "networkInterfaces[0].accessConfigs"
POOL = "agentPoolProfiles[0]"

TABLE = (
    sets("masters-span-zones", "local", PLANE, "masters[2].zone", "zone-b"),
    sets("every-member-zone-has-a-master", "local", PLANE, "members[3].zone", "zone-d"),
    sets("machines-stand-where-declared", "local", "MachineGroup/masters", "slots[2].zone", "zone-x"),
    sets("machines-stand-where-declared", "aws", "Subnet/private-c", "availabilityZone", "eu-west-1b"),
    sets("clusters-span-zones", "eks", "Subnet/private-c", "availabilityZone", "eu-west-1b"),
    sets("clusters-span-zones", "aks", AKS, f"{POOL}.availabilityZones", ["1"]),
    sets("clusters-span-zones", "gke", GKE, "location", "europe-west1-b"),
    sets("clusters-span-zones", "gke", GKE, "nodeLocations", ["europe-west1-b", "europe-west1-c"]),
    sets("control-planes-declare-themselves", "local", PLANE, "scenario", "prod"),
    sets("members-are-odd", "local", PLANE, "members[4]", Absent),
    sets("no-zone-holds-a-majority", "local", PLANE, "members[2].zone", "zone-a"),
    sets("critical-has-five-machines", "local", PLANE, "externalEtcd", False),
    sets("elections-outlast-heartbeats", "local", PLANE, "etcd.electionMs", 160),
    sets("member-volumes-are-fast", "aws", "Volume/master-1", "type", "gp2"),
    sets("member-volumes-are-fast", "aws", "Volume/master-1", "iops", 1000),
    sets("member-volumes-are-fast", "beside", "Disk/gcp-etcd-1", "type", "pd-standard"),
    sets("member-volumes-hold-the-quota", "local", "Volume/member-1", "sizeMb", 8192),
    sets("member-volumes-hold-the-quota", "aws", "Volume/master-1", "size", 8),
    sets("member-volumes-are-protected", "local", "Volume/member-1", "protect", False),
    sets("member-volumes-are-protected", "aws", "Volume/master-1", "protect", False),
    sets("snapshots-keep-the-pace", "local", PLANE, "snapshots.intervalSeconds", 900),
    sets("snapshots-keep-the-pace", "aws", PLANE, "snapshots", Absent),
    sets("snapshots-are-kept", "aws", PLANE, "snapshots.keptSeconds", 86400),
    sets("snapshots-are-locked", "local", PLANE, "snapshots.locked", False),
    sets("snapshot-buckets-outlive-the-stack", "local", "Bucket/plane", "protect", False),
    sets("snapshot-buckets-outlive-the-stack", "aws", "Bucket/plane", "forceDestroy", True),
    lacks("snapshot-buckets-keep-versions", "aws", "BucketVersioning/plane"),
    sets("snapshot-buckets-keep-versions", "beside", "Bucket/etcd-snapshots", "versioning.enabled", False),
    sets(
        "snapshot-buckets-keep-versions", "beside", "BlobServiceProperties/etcdsnapshots", "isVersioningEnabled", False
    ),
    lacks("snapshot-buckets-refuse-plain-http", "aws", "BucketPolicy/plane"),
    sets("snapshot-buckets-refuse-plain-http", "aws", "BucketPolicy/plane", "policy", WITH_HTTP),
    sets(
        "snapshot-buckets-refuse-plain-http", "beside", "StorageAccount/etcdsnapshots", "enableHttpsTrafficOnly", False
    ),
    sets("nobody-has-ssh-from-everywhere", "beside", "SecurityGroup/bastion", "ingress", ANY_SSH),
    sets("nobody-has-ssh-from-everywhere", "beside", "SecurityGroup/bastion", "ingress", HALF),
    sets("nobody-has-ssh-from-everywhere", "beside", "SecurityGroup/bastion", "ingress", SSH_V6),
    sets("etcd-is-not-exposed", "beside", "SecurityGroup/bastion", "ingress", ETCD_OPEN),
    sets("apis-name-their-clients", "aws", RULE, "cidrIpv4", "0.0.0.0/0"),
    sets("apis-name-their-clients", "aws", PLANE, "loadBalancer.public", True),
    sets("apis-name-their-clients", "eks", EKS, "vpcConfig.publicAccessCidrs", Absent),
    sets("apis-name-their-clients", "aks", AKS, "apiServerAccessProfile", Absent),
    sets("apis-name-their-clients", "gke", GKE, "masterAuthorizedNetworksConfig", Absent),
    sets("apis-name-their-clients", "beside", "Firewall/api", "sourceRanges", ["0.0.0.0/0"]),
    sets(
        "apis-name-their-clients", "beside", "NetworkSecurityGroup/masters", "securityRules[0].sourceAddressPrefix", "*"
    ),
    sets("nodes-reach-the-api-in-private", "eks", EKS, "vpcConfig.endpointPrivateAccess", False),
    sets("nodes-reach-the-api-in-private", "gke", GKE, "privateClusterConfig", Absent),
    sets(
        "machines-have-no-public-address",
        "aws",
        "LaunchTemplate/masters",
        "networkInterfaces[0].associatePublicIpAddress",
        "true",
    ),
    sets("machines-have-no-public-address", "aks", AKS, f"{POOL}.enableNodePublicIP", True),
    lacks("snapshot-buckets-are-private", "aws", "BucketPublicAccessBlock/plane"),
    sets("snapshot-buckets-are-private", "beside", "Bucket/etcd-snapshots", "publicAccessPrevention", "inherited"),
    sets("snapshot-buckets-are-private", "beside", "StorageAccount/etcdsnapshots", "allowBlobPublicAccess", True),
    sets("volumes-are-encrypted", "aws", "Volume/master-1", "encrypted", False),
    sets("volumes-are-encrypted", "aws", "LaunchTemplate/masters", "blockDeviceMappings[0].ebs.encrypted", Absent),
    sets("cluster-secrets-have-their-own-key", "eks", EKS, "encryptionConfig", Absent),
    sets("cluster-secrets-have-their-own-key", "aks", AKS, "securityProfile", Absent),
    sets("cluster-secrets-have-their-own-key", "gke", GKE, "databaseEncryption.state", "DECRYPTED"),
    sets("stored-secrets-have-their-own-key", "aws", "Secret/etcd-peer-ca", "kmsKeyId", Absent),
    sets("keys-rotate", "aws", "Key/plane", "enableKeyRotation", False),
    sets("keys-rotate", "gke", "CryptoKey/secrets", "rotationPeriod", Absent),
    sets("no-policy-allows-everything", "aws", "RolePolicy/masters", "policy", EVERYTHING),
    sets("no-policy-allows-everything", "aws", "RolePolicy/masters", "policy", ALL_OF_S3),
    sets("no-policy-allows-everything", "beside", "RoleDefinition/masters", "permissions[0].actions", ["*"]),
    sets("no-policy-allows-everything", "beside", "IAMMember/masters", "role", "roles/editor"),
    sets("machines-demand-metadata-tokens", "aws", "LaunchTemplate/masters", "metadataOptions.httpTokens", "optional"),
    sets("clusters-know-who-connects", "aks", AKS, "disableLocalAccounts", Absent),
    sets("clusters-know-who-connects", "gke", GKE, "masterAuth.clientCertificateConfig.issueClientCertificate", True),
    sets("secrets-have-few-readers", "local", "Secret/etcd-peer-ca", "readers", ["member", "master"]),
    sets("secrets-have-few-readers", "local", "Secret/etcd-peer-ca", "readers", ["balancer"]),
    sets("health-checks-ask-for-readiness", "local", PLANE, "loadBalancer.healthCheck.path", "/livez"),
    sets("health-checks-ask-for-readiness", "aws", "TargetGroup/plane", "healthCheck.protocol", "TCP"),
    sets("health-checks-ask-for-readiness", "beside", "LoadBalancer/api", "probes[0].protocol", "Tcp"),
    sets("health-checks-ask-for-readiness", "beside", "RegionHealthCheck/api", "httpsHealthCheck.requestPath", "/"),
    sets("dead-masters-leave-in-time", "aws", "TargetGroup/plane", "healthCheck.unhealthyThreshold", 3),
    sets("dead-masters-leave-in-time", "beside", "RegionHealthCheck/api", "checkIntervalSec", 6),
    sets("shutdowns-outlast-health-checks", "local", PLANE, "shutdownDelaySeconds", 1),
    sets("shutdowns-outlast-health-checks", "local", PLANE, "gracePeriodSeconds", 5),
    sets("several-masters-have-a-balancer", "local", PLANE, "loadBalancer", Absent),
    sets("balancers-span-zones", "local", "MachineGroup/balancers", "slots[1].zone", "zone-a"),
    sets("balancers-span-zones", "aws", "LoadBalancer/plane", "enableCrossZoneLoadBalancing", Absent),
    sets("balancers-span-zones", "beside", "LoadBalancer/api", "sku.name", "Basic"),
    sets("balancers-span-zones", "aks", AKS, "networkProfile.loadBalancerSku", "Basic"),
    sets("balancers-refuse-deletion", "aws", "LoadBalancer/plane", "enableDeletionProtection", False),
    sets("groups-trust-the-machines-own-check", "aws", "Group/masters", "healthCheckType", "ELB"),
    sets("what-cannot-be-remade-refuses-deletion", "eks", EKS, "deletionProtection", Absent),
    sets("what-cannot-be-remade-refuses-deletion", "aks", AKS, "protect", False),
    sets("what-cannot-be-remade-refuses-deletion", "gke", GKE, "deletionProtection", False),
    sets("what-cannot-be-remade-refuses-deletion", "aws", "Key/plane", "protect", False),
    sets("clusters-leave-a-sick-zone", "eks", EKS, "zonalShiftConfig", Absent),
    sets("clusters-have-an-uptime-agreement", "aks", AKS, "sku.tier", "Free"),
    sets("clusters-follow-a-release-channel", "aks", AKS, "autoUpgradeProfile.upgradeChannel", "none"),
    sets("clusters-follow-a-release-channel", "gke", GKE, "releaseChannel", Absent),
    sets("clusters-log-the-control-plane", "eks", EKS, "enabledClusterLogTypes", ["api"]),
    lacks("clusters-log-the-control-plane", "aks", "DiagnosticSetting/logs"),
    sets("clusters-log-the-control-plane", "gke", GKE, "loggingConfig.enableComponents", ["WORKLOADS"]),
    sets("clusters-report-metrics", "aks", AKS, "azureMonitorProfile", Absent),
    sets("clusters-report-metrics", "gke", GKE, "monitoringConfig", Absent),
    lacks("somebody-is-told", "eks", "MetricAlarm/api-errors"),
    lacks("somebody-is-told", "aks", "MetricAlert/api-errors"),
    lacks("somebody-is-told", "gke", "AlertPolicy/api-errors"),
    lacks("somebody-is-told", "aws", "MetricAlarm/healthy-masters"),
    lacks("snapshot-buckets-keep-versions", "forms", "BucketVersioningV2/backups"),
    lacks("snapshot-buckets-are-private", "forms", "BucketPublicAccessBlock/backups"),
    sets("snapshot-buckets-are-private", "forms", "BucketPublicAccessBlock/backups", "ignorePublicAcls", False),
    sets("snapshot-buckets-refuse-plain-http", "forms", "BucketPolicy/backups", "policy.Statement[0].Effect", "Allow"),
    sets("machines-demand-metadata-tokens", "forms", "Instance/master", "metadataOptions", Absent),
    sets("volumes-are-encrypted", "forms", "Instance/master", "rootBlockDevice", Absent),
    sets("machines-have-no-public-address", "forms", "Instance/master", "associatePublicIpAddress", True),
    sets("apis-name-their-clients", "forms", "SecurityGroupRule/clients", "cidrBlocks", ["0.0.0.0/0"]),
    sets("apis-name-their-clients", "forms", "SecurityRule/clients", "sourceAddressPrefixes", ["Internet"]),
    sets("no-policy-allows-everything", "forms", "Policy/read", "policy", EVERYTHING),
    sets("no-policy-allows-everything", "forms", "UserPolicy/read", "policy", EVERYTHING),
    sets("no-policy-allows-everything", "forms", "GroupPolicy/read", "policy", EVERYTHING),
    sets("no-policy-allows-everything", "forms", "Role/read", "inlinePolicies[0].policy", EVERYTHING),
    sets("no-policy-allows-everything", "forms", "IAMBinding/masters", "role", "roles/owner"),
    sets("stored-secrets-have-their-own-key", "forms", "Parameter/token", "keyId", Absent),
    sets("balancers-span-zones", "forms", "PublicIPAddress/api", "sku.name", "Basic"),
    sets("health-checks-ask-for-readiness", "forms", "HealthCheck/api", "httpsHealthCheck.requestPath", "/healthz"),
    sets("machines-have-no-public-address", "forms", "InstanceTemplate/masters", NETWORK_CARD, [{}]),
    sets(
        "groups-trust-the-machines-own-check", "forms", "InstanceGroupManager/member-1", "autoHealingPolicies", {"a": 1}
    ),
    sets(
        "groups-trust-the-machines-own-check", "forms", "RegionInstanceGroupManager/masters", "autoHealingPolicies", [1]
    ),
    sets("replicas-keep-apart", "workloads", "Deployment/coredns", "spec.template.spec.topologySpreadConstraints", []),
    lacks("replicas-have-a-disruption-budget", "workloads", "PodDisruptionBudget/coredns"),
    sets("replicas-keep-apart", "workloads", "Deployment/coredns", "spec.template.spec", {}),
)
