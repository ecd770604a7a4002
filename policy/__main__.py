"""The policy pack as the engine starts it: `pulumi up --policy-pack policy`."""

import sys
from pathlib import Path

from pulumi_policy import EnforcementLevel, PolicyPack

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from policy.catalogue import RULES
from policy.pack import Pack, strict_here

PolicyPack(
    "kube-ha",
    policies=Pack(list(RULES.values()), strict=strict_here()).policies,
    enforcement_level=EnforcementLevel.MANDATORY,
    display_name="kube-ha: highly available control planes",
)
