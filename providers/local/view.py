"""What the supervisor tells of a machine; shared with its clients."""

from pydantic import BaseModel, ConfigDict


class MachineView(BaseModel):
    """A slot and its machine, as `machines` and `Readiness` show them."""

    model_config = ConfigDict(frozen=True)

    network: str
    group: str
    machine: str
    role: str
    zone: str
    address: str
    incarnation: int
    """0 before the first boot."""
    instance: str
    """Identity of this incarnation; empty before the first boot."""
    init_pid: int | None
    """The machine's PID 1 as the host sees it; None while it does not run."""
    up_since: float | None
    """Unix time; None while it does not run."""
    started: bool
    """Whether cloud-init has started."""
    quick_deaths: int = 0
    """How often in a row it died, or did not boot, within seconds."""
    ready: bool
    phase: str
    message: str
    template: str
    """What it booted from; empty before the first boot."""
    desired_template: str
    cuts: tuple[str, ...]
    """How it, or its zone, is cut from the network."""
