"""The emulator of AWS, as a process of its own: `python -m providers.aws.emulator` prints its URL and serves.

It is moto, put right where it would say no although AWS says yes.
"""

import signal
from typing import Any, Final

from moto.core.types import Base64EncodedString
from moto.ec2.models.launch_templates import LaunchTemplateVersion
from moto.iam.access_control import IAMPolicyStatement, PermissionResult
from moto.server import ThreadedMotoServer

HOST: Final = "127.0.0.1"
PLAIN_HTTP: Final = {"Bool": {"aws:SecureTransport": "false"}}


def heed_conditions() -> None:
    """Teach moto that a statement whose condition does not hold says nothing.

    moto takes it for a refusal, so that a bucket for TLS only refuses everybody. Requests to the emulator stand for
    requests over TLS; every other condition is taken to hold.
    """
    judged = IAMPolicyStatement.is_action_permitted

    def judge(self: Any, *arguments: Any, **named: Any) -> Any:
        statement = self._statement
        if statement.get("Condition") == PLAIN_HTTP:
            return PermissionResult.NEUTRAL
        unconditional = {name: value for name, value in statement.items() if name != "Condition"}
        return judged(IAMPolicyStatement(unconditional), *arguments, **named)

    setattr(IAMPolicyStatement, "is_action_permitted", judge)  # noqa: B010 - moto has no other way in


def read_later_templates() -> None:
    """Have groups launch from a template's second version on: moto types only the first one's user data."""

    def user_data(self: Any) -> Any:
        text = self.data.get("UserData")
        return Base64EncodedString(text) if type(text) is str else text

    setattr(LaunchTemplateVersion, "user_data", property(user_data))  # noqa: B010 - as above


def start(port: int = 0) -> str:
    """Serve from a thread of this process; the URL."""
    heed_conditions()
    read_later_templates()
    server = ThreadedMotoServer(ip_address=HOST, port=port, verbose=False)
    server.start()
    return f"http://{HOST}:{server.get_host_and_port()[1]}"


if __name__ == "__main__":
    print(start(), flush=True)
    signal.pause()
