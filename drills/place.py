"""Where the machines are that are drilled: a stack of the local cloud, or a cluster of a cloud by its inventory."""

from dataclasses import dataclass
from pathlib import Path

from drills import inventory
from drills.injector import Injector
from drills.local import LocalInjector


@dataclass(frozen=True)
class Place:
    """A stack of the local cloud; with an inventory, what that says instead."""

    stack: str
    inventory: Path | None = None

    def injector(self, kubeconfig: Path) -> Injector:
        """What does harm there.

        Raises:
            InventoryError, InjectionError: there is no such place.
        """
        if self.inventory is None:
            return LocalInjector(self.stack)
        # An SDK takes most of a second to import, which drills of the local cloud do not need.
        from drills.aws import connect  # noqa: PLC0415

        return connect(inventory.load(self.inventory), kubeconfig)


def place(stack: str, listed: Path | None, harm: str | None) -> Place:
    """The place that is meant; one with an inventory only if `harm` names its cluster.

    Raises:
        InventoryError: it does not, or there is no inventory to be read.
    """
    if listed is None:
        return Place(stack)
    cluster = inventory.load(listed).cluster
    if harm != cluster:
        raise inventory.InventoryError(
            f"--harm: got {harm or 'nothing'}; machines of cluster {cluster!r} are stopped and cut off only with"
            f" --harm {cluster}."
        )
    return Place(cluster, listed)
