"""The step `worker-token`: a bootstrap token in the cloud's secret store, for workers that read it as they boot.

Every master does it, without an election: two that renew it at once leave one good token more for a day.
"""

from datetime import UTC, datetime
from typing import Final

from components.node import bootstrap_token
from components.node.agent.background import Background
from components.node.agent.cloud import NotFoundError, SecretKeeper
from components.node.agent.kubectl import Kubectl, local
from components.node.agent.step import Context, Step
from components.node.machine import Machine, Role
from components.node.worker import SECRET, SECRET_STORES

ROUND_SECONDS: Final = 300.0


class WorkerToken(Step):
    """In the background: neither a silent API server nor a silent cloud may keep the loop from etcd."""

    name = "worker-token"

    def __init__(self) -> None:
        self._background: Background | None = None

    def applies(self, machine: Machine) -> bool:
        return machine.role is Role.MASTER and machine.cloud in SECRET_STORES

    def run(self, context: Context) -> None:
        assert isinstance(context.cloud, SecretKeeper), context.machine.cloud  # noqa: S101 - by `applies`
        keeper = context.cloud
        self._background = self._background or Background(
            context, self.name, lambda: self._round(context, keeper), ROUND_SECONDS
        )
        self._background.start()

    def _round(self, context: Context, keeper: SecretKeeper) -> None:
        if renew(keeper, local(context), datetime.now(UTC)):
            context.log(self.name, f"renewed, good for {bootstrap_token.LIFE}")


def renew(keeper: SecretKeeper, kubectl: Kubectl, now: datetime) -> bool:
    """Put a new token into the store unless the one there is good for long enough; whether it did.

    The API server is asked, not the token's age: after a restore it may not know it any more.
    """
    kept = stored(keeper)
    if kept is not None and bootstrap_token.lasts(kept, known(kubectl, kept), now):
        return False
    token = bootstrap_token.make()
    kubectl.apply([bootstrap_token.manifest(token, now + bootstrap_token.LIFE)])
    keeper.keep_secret(SECRET, token.encode())
    return True


def stored(keeper: SecretKeeper) -> str | None:
    """The token in the store; None before the first."""
    try:
        return keeper.secret(SECRET).decode()
    except NotFoundError:
        return None


def known(kubectl: Kubectl, token: str) -> dict[str, object] | None:
    """The Secret of a token, if the API server has it."""
    return kubectl.get("secret", bootstrap_token.name(token), f"--namespace={bootstrap_token.NAMESPACE}")
