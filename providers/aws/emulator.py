"""The emulator of AWS, as a process of its own: `python -m providers.aws.emulator` prints its URL and serves.

It is moto, put right where it would say no although AWS says yes.
"""

import os
import signal
from typing import Any, Final

from moto.autoscaling.exceptions import AutoscalingClientError
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import EmptyResult
from moto.core.types import Base64EncodedString
from moto.ec2.models.launch_templates import LaunchTemplateVersion
from moto.iam.access_control import IAMPolicyStatement, PermissionResult
from moto.server import ThreadedMotoServer

HOST: Final = "127.0.0.1"
UNKNOWN_RESOURCE: Final = "*"
PLAIN_HTTP: Final = {"Bool": {"aws:SecureTransport": "false"}}


def judge_as_aws_does() -> None:
    """Teach moto that a statement whose condition does not hold says nothing, where moto takes it for a refusal, so
    that a bucket for TLS only refuses everybody.

    Requests to the emulator stand for requests over TLS; every other condition is taken to hold. Outside S3 moto does
    not know what a request is about: then its action alone counts. It names a service as in signatures; policies have
    another name for CloudWatch.
    """
    judged = IAMPolicyStatement.is_action_permitted

    def judge(self: Any, action: str, resource: str = UNKNOWN_RESOURCE, *who: Any) -> Any:
        statement = self._statement
        if statement.get("Condition") == PLAIN_HTTP:
            return PermissionResult.NEUTRAL
        heeded = {name: value for name, value in statement.items() if name != "Condition"}
        if resource == UNKNOWN_RESOURCE and "Resource" in heeded:
            heeded["Resource"] = UNKNOWN_RESOURCE
        named = action.replace("monitoring:", "cloudwatch:")
        return judged(IAMPolicyStatement(heeded), named, resource, *who)

    setattr(IAMPolicyStatement, "is_action_permitted", judge)  # noqa: B010 - moto has no other way in


def take_leave_of_machines() -> None:
    """Have groups take it when a machine says that it has left, if they have the hook that it says so to."""

    def complete(self: Any) -> Any:
        group, hook = self._get_param("AutoScalingGroupName"), self._get_param("LifecycleHookName")
        if not self.autoscaling_backend.describe_lifecycle_hooks(group, [hook]):
            raise AutoscalingClientError("ValidationError", f"No Lifecycle Hook found with name {hook}")
        return EmptyResult()

    setattr(AutoScalingResponse, "complete_lifecycle_action", complete)  # noqa: B010 - as above


def read_later_templates() -> None:
    """Have groups launch from a template's second version on: moto types only the first one's user data."""

    def user_data(self: Any) -> Any:
        text = self.data.get("UserData")
        return Base64EncodedString(text) if type(text) is str else text

    setattr(LaunchTemplateVersion, "user_data", property(user_data))  # noqa: B010 - as above


def start(port: int = 0) -> str:
    """Serve from a thread of this process; the URL."""
    # Only with AWS's own policies loaded is one refused that AWS does not have.
    os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
    judge_as_aws_does()
    take_leave_of_machines()
    read_later_templates()
    server = ThreadedMotoServer(ip_address=HOST, port=port, verbose=False)
    server.start()
    return f"http://{HOST}:{server.get_host_and_port()[1]}"


if __name__ == "__main__":
    print(start(), flush=True)
    signal.pause()
