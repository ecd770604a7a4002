"""A part that hangs is found by the agent of its machine, mended, and told where people look."""

import json
from typing import Any

import pytest

from components.node.remedies import PATIENCE_SECONDS, Part
from tests.machines.stack import Stack, eventually

pytestmark = [pytest.mark.machines, pytest.mark.timeout(400)]

MENDED_SECONDS = PATIENCE_SECONDS[Part.KUBELET] + 90


def problem(stack: Stack, node: str) -> Any:
    """The condition that the agent keeps, None before there is one."""
    read = json.loads(stack.kubectl("get", "node", node, "--output=json"))["status"]["conditions"]
    return next((one for one in read if one["type"] == "ControlPlaneProblem"), None)


def test_a_kubelet_that_hangs_is_restarted_and_the_node_has_said_so(stack: Stack) -> None:
    def told() -> Any:
        return problem(stack, "master-2")

    def no_problem() -> bool:
        return told() is not None and told()["status"] == "False"

    # What the tests before this one did to the machine may still be told: the agent looks every half minute.
    eventually(no_problem, told, MENDED_SECONDS)
    stack.injector.run("master-2", "pkill", "--signal=STOP", "--exact", "kubelet")
    eventually(lambda: "kubelet: /healthz: TimeoutError" in told()["message"], told, 90)
    assert told()["status"] == "True"
    eventually(no_problem, told, MENDED_SECONDS)
    events = stack.kubectl("get", "events", "--field-selector=reason=Restarted,involvedObject.name=master-2")
    assert "kubelet: /healthz" in events
    stack.wait_whole()
