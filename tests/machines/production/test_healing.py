"""A part that hangs is found by the agent of its machine, mended, and told where people look."""

import json
from typing import Any

import pytest

from components.node.remedies import PATIENCE_SECONDS, Part
from tests.machines.stack import Stack, eventually

pytestmark = [pytest.mark.machines, pytest.mark.timeout(900)]

TOLD_SECONDS = 120
"""The agent looks every half minute, and writes when an API server answers."""
MENDED_SECONDS = PATIENCE_SECONDS[Part.KUBELET] + 2 * TOLD_SECONDS


def problem(stack: Stack, node: str) -> Any:
    """The condition that the agent keeps, None before there is one."""
    read = json.loads(stack.kubectl("get", "node", node, "--output=json"))["status"]["conditions"]
    return next((one for one in read if one["type"] == "ControlPlaneProblem"), None)


def restarts(stack: Stack, node: str) -> set[str]:
    """Events of a Node that tell of a restart: names and words."""
    which = f"--field-selector=reason=Restarted,involvedObject.name={node}"
    columns = "--output=custom-columns=NAME:.metadata.name,WORDS:.message"
    return {" ".join(line.split()) for line in stack.kubectl("get", "events", which, columns).splitlines()}


def test_a_kubelet_that_hangs_is_restarted_and_the_node_has_said_so(stack: Stack) -> None:
    def told() -> Any:
        return problem(stack, "master-2")

    def tells(status: str, words: str) -> bool:
        found = told()
        return found["status"] == status and words in found["message"]

    # What the tests before this one did to the machine may still be told.
    eventually(lambda: tells("False", ""), told, MENDED_SECONDS)
    before = restarts(stack, "master-2")
    stack.injector.run("master-2", "pkill", "--signal=STOP", "--exact", "kubelet")
    eventually(lambda: tells("True", "kubelet: /healthz: TimeoutError"), told, TOLD_SECONDS)
    eventually(lambda: tells("False", ""), told, MENDED_SECONDS)

    def noted() -> bool:
        return any("kubelet: /healthz" in event for event in restarts(stack, "master-2") - before)

    eventually(noted, lambda: restarts(stack, "master-2"), TOLD_SECONDS)
