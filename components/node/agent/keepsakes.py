"""The step `keepsakes`: what a cluster keeps beside its snapshots, each looked at once an hour by every master.

By the store's clock: one of a machine that ran ahead would delete every inventory, and lock keys for years.
"""

from typing import Final

from components.node.agent import cluster_inventory, recovery_keys
from components.node.agent.background import Background
from components.node.agent.step import Context, Step
from components.node.agent.store_clock import store_time
from components.node.machine import Machine, Role

ROUND_SECONDS: Final = 3600.0


class Keepsakes(Step):
    """Keys, monthly; inventory, daily. Of masters that are at it together the store lets one write each object."""

    name = "keepsakes"

    def __init__(self) -> None:
        self._background: Background | None = None

    def applies(self, machine: Machine) -> bool:
        return machine.role is Role.MASTER

    def run(self, context: Context) -> None:
        if self._background is None:
            self._background = Background(context, self.name, lambda: self.round(context), ROUND_SECONDS)
            self._background.start()

    def round(self, context: Context) -> None:
        """Look once, and act."""
        now = store_time(context)
        if (key := recovery_keys.keep(context, now)) is not None:
            context.log(self.name, f"recovery keys wrapped and stored: {key}")
        if cluster_inventory.keep(context, now):
            context.log(self.name, f"inventory of {cluster_inventory.day(now)} stored")
