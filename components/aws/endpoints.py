"""The services of AWS that have private endpoints in a control plane's network, by the endpoints' names. Pure."""

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
"""What agents, AWS's controller manager and Session Manager call, and what AWS's controllers for load balancers and an
agent for logs would, in the network of masters that have no other way to AWS."""

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
