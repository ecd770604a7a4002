"""New certificate authorities for three masters: a client that writes all the while loses nothing."""

from typing import Final

import pytest

from tests.machines.drilling import FLOOR_SECONDS
from tests.machines.stack import Stack
from tests.machines.steady_writer import CONFIG_MAPS, LABEL, Writer, api

pytestmark = [pytest.mark.machines, pytest.mark.campaign, pytest.mark.timeout(2400)]

FAILED_MAX: Final = 0.1
"""Share of writes that may fail while each machine is replaced three times, on two cores; a cluster that turns this
client away after a step, as a kubeconfig of before would be, fails a third and more."""


def test_every_authority_is_replaced_under_a_client_that_writes(stack: Stack) -> None:
    with Writer(stack.kubeconfig) as writer:
        for step in range(3):
            print(stack.make("rotate-authorities", "YES=1", timeout=1200).output)
            stack.wait_whole()
            print(
                f"step {step + 1}: {len(writer.acknowledged)} written, {len(writer.failed)} failed,"
                f" longest gap {writer.longest_gap:.2f} s; failed last: {writer.failed[-1:]}"
            )
            writer.take(stack.kubeconfig)
    listed = stack.kubectl("get", "configmaps", f"--selector={LABEL}", "--output=name").split()
    api(stack.kubeconfig).call("DELETE", f"{CONFIG_MAPS}?labelSelector={LABEL.replace('=', '%3D')}", timeout=60)
    there = {name.removeprefix("configmap/") for name in listed}
    writer.check(there, gap_max=FLOOR_SECONDS, failed_max=FAILED_MAX)
