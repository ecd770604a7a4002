"""docs/on-call.md says what to do about every alarm on AWS, and about no other."""

import re

from tests.aws.stacks import NAMES, of
from tests.program.stacks import ROOT

PAGE = (ROOT / "docs/on-call.md").read_text().split("## Alarms on AWS")[1]


def test_every_alarm_is_on_the_page_and_no_other() -> None:
    made = {name.rsplit("-", 1)[1] for stack in NAMES for name in of(stack, "cloudwatch.MetricAlarm")}
    explained = re.findall(r"`…-(\w+)`", PAGE)
    assert sorted(made) == sorted(explained)
