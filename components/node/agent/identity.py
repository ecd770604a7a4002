"""Which machine this is: the document, completed by what the cloud says, and the address that belongs to it."""

import dataclasses
import json
from pathlib import Path

from components.node.agent.cloud import Cloud, CloudError, Instance
from components.node.agent.files import write
from components.node.agent.step import Context, Step
from components.node.machine import Machine


def complete(machine: Machine, instance: Instance) -> Machine:
    """The document with what it leaves to the cloud to say."""
    return machine.model_copy(
        update={
            "name": machine.name or instance.machine,
            "zone": machine.zone or instance.zone,
            "address": machine.address or instance.address,
            "provider_id": instance.provider_id,
        }
    )


def instance_of(cloud: Cloud, state: Path) -> Instance:
    """What the cloud says about this machine; what it said last where it does not answer.

    A machine that was rebooted while the cloud's API is down still knows who it is.

    Raises:
        CloudError: the cloud does not answer and never has on this machine.
    """
    remembered = state / "instance.json"
    try:
        instance = cloud.instance()
    except CloudError:
        if not remembered.is_file():
            raise
        return Instance(**json.loads(remembered.read_text()))
    write(remembered, json.dumps(dataclasses.asdict(instance)).encode())
    return instance


class Identity(Step):
    """Takes the machine's address."""

    name = "identity"

    def run(self, context: Context) -> None:
        machine = context.machine
        context.log(self.name, f"{machine.role.value} {machine.name} in {machine.zone} at {machine.address}")
        if machine.address != context.instance.address:
            context.cloud.take_address(machine.address)
