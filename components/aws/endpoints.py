"""The services of AWS that machines call, by the names that their private endpoints have. Pure."""

from typing import Final

SELF_MANAGED: Final = (
    "autoscaling",
    "ec2",
    "elasticloadbalancing",
    "kms",
    "logs",
    "monitoring",
    "secretsmanager",
    "ssm",
    "ssmmessages",
    "sts",
)

EKS: Final = (
    "autoscaling",
    "ec2",
    "ecr.api",
    "ecr.dkr",
    "eks",
    "eks-auth",
    "elasticloadbalancing",
    "logs",
    "monitoring",
    "ssm",
    "ssmmessages",
    "sts",
)
"""What AWS lists for private clusters, and what the add-ons call; S3 has a gateway of its own."""
