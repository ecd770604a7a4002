"""Type tokens of the clouds' own Kubernetes control planes."""

from typing import Final

EKS: Final = "aws:eks/cluster:Cluster"
AKS: Final = "azure-native:containerservice:ManagedCluster"
GKE: Final = "gcp:container/cluster:Cluster"
MANAGED: Final = (EKS, AKS, GKE)
