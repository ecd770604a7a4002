"""Takes this master out of service when its system goes down; run by its unit before etcd and passthrough are stopped.

Only the standard library: nothing may keep a machine from going down.

    python -m components.node.agent.shutdown <seconds>
"""

import contextlib
import subprocess
import sys
import time
from typing import Final

from components.node.agent.static_pods import API_SERVER, ELECTED, StopError, await_end, terminate

KUBELET: Final = "kubelet"
KUBELET_SECONDS: Final = 2.0


def main(seconds: str) -> None:
    """Entry point of the unit's ExecStop; the API server is waited for `seconds` at most."""
    if going_down():
        print(leave(float(seconds)))
    else:
        print("the system stays up: nothing to do")


def going_down() -> bool:
    """Whether systemd stops the whole system, and not this unit alone."""
    answer = subprocess.run(["systemctl", "is-system-running"], capture_output=True, text=True, check=False, timeout=10)
    return answer.stdout.strip() == "stopping"


def leave(seconds: float) -> str:
    """End the control plane without a client's notice; what happened, in words.

    The API server says that it is not ready, serves until no load balancer sends it anything, and ends. Meanwhile the
    controller manager and the scheduler give their leases back by way of it.
    """
    begun = time.monotonic()
    # It would start again what is ended here; one that hangs starts nothing.
    with contextlib.suppress(StopError):
        await_end(KUBELET, KUBELET_SECONDS)
    for component in (API_SERVER, *ELECTED):
        terminate(component)
    try:
        await_end(API_SERVER, seconds)
    except StopError as error:
        return str(error)
    return f"{API_SERVER} drained and ended in {time.monotonic() - begun:.1f} s"


if __name__ == "__main__":
    main(*sys.argv[1:])
