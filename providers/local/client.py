"""Talking to the supervisor, and starting it when there is none."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

from providers.local.processes import process
from providers.local.view import MachineView

REPOSITORY: Final = Path(__file__).resolve().parents[2]
START_TIMEOUT: Final = 60.0
"""Seconds; a start that adopts machines after a reboot makes their networks anew first."""
REQUEST_TIMEOUT: Final = 180.0
"""Seconds; removing a group waits for its machines, a put for a removal of the same name."""


class CloudRefusalError(Exception):
    """The supervisor answered that it does not do that, and why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class UnreachableError(Exception):
    """There is no supervisor, or it does not answer."""


def root() -> Path:
    """Where the local cloud keeps all that it has: `$KUBE_HA_LOCAL_ROOT`, or `/var/lib/kube-ha/local`."""
    return Path(os.environ.get("KUBE_HA_LOCAL_ROOT") or "/var/lib/kube-ha/local")


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("supervisor", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class Client:
    """A client of one supervisor."""

    def __init__(self, folder: Path | None = None) -> None:
        self.root = folder or root()
        self._is_current = False
        self.socket = self.root / "supervisor.sock"

    @property
    def has_anything(self) -> bool:
        """Whether there is something that a supervisor would keep."""
        return (self.root / "state.json").exists() or self.socket.exists()

    # -- resources -----------------------------------------------------------------------------------------------

    def put(self, resource_id: str, body: dict[str, Any]) -> dict[str, Any]:
        """Create or change a resource; its properties."""
        return dict(self._ask("PUT", f"/v1/resources/{resource_id}", body))

    def confirm(self, resource_id: str) -> None:
        """Say that the resource's creator has it."""
        self._ask("POST", f"/v1/resources/{resource_id}/confirm")

    def settle(self, resource_id: str) -> None:
        """Say that an engine knows the resource."""
        self._ask("POST", f"/v1/resources/{resource_id}/settle")

    def read(self, resource_id: str) -> dict[str, Any] | None:
        """A resource's properties, or None when it does not exist."""
        try:
            return dict(self._ask("GET", f"/v1/resources/{resource_id}"))
        except CloudRefusalError as error:
            if error.status == http.HTTPStatus.NOT_FOUND:
                return None
            raise

    def remove(self, resource_id: str) -> None:
        """Remove a resource; one that is gone is fine."""
        self._ask("DELETE", f"/v1/resources/{resource_id}")

    def resources(self) -> list[dict[str, Any]]:
        """All resources, without the values of secrets."""
        return list(self._ask("GET", "/v1/resources"))

    # -- machines ------------------------------------------------------------------------------------------------

    def machines(self, *, stack: str = "", network: str = "") -> list[MachineView]:
        """Machines, of a stack or a network if asked."""
        query = urlencode({"stack": stack, "network": network})
        return [MachineView.model_validate(view) for view in self._ask("GET", f"/v1/machines?{query}")]

    def console(self, network: str, machine: str, lines: int = 20) -> dict[str, Any]:
        """The end of a machine's console (`lines`) and the file that has all of it (`file`)."""
        return dict(self._ask("GET", f"/v1/networks/{network}/machines/{machine}/console?lines={lines}"))

    # -- faults --------------------------------------------------------------------------------------------------

    def order(self, stack: str, machine: str, order: str) -> None:
        """`kill` or `power-off` a machine."""
        self._ask("POST", f"/v1/stacks/{stack}/machines/{machine}/{order}")

    def cut(self, stack: str, target: str, kind: str) -> None:
        """Cut a zone or a machine."""
        self._ask("POST", f"/v1/stacks/{stack}/cut", {"target": target, "kind": kind})

    def heal(self, stack: str) -> list[str]:
        """Undo all cuts; what was cut."""
        return list(self._ask("POST", f"/v1/stacks/{stack}/heal"))

    def wipe(self, stack: str, volume: str) -> None:
        """Empty a volume; its machine, if it has one, is killed first."""
        self._ask("POST", f"/v1/stacks/{stack}/volumes/{volume}/wipe")

    def purge(self, stack: str) -> list[str]:
        """Remove all that a stack owns; the URNs."""
        return list(self._ask("DELETE", f"/v1/stacks/{quote(stack)}"))

    # -- the connection ------------------------------------------------------------------------------------------

    def ensure_running(self) -> None:
        """Start a supervisor unless one answers.

        Raises:
            UnreachableError: it did not come up; the message has the end of its log.
        """
        if self._answers():
            return
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        log = self.root / "supervisor.log"
        with log.open("ab") as output:
            child = subprocess.Popen(
                [sys.executable, "-m", "providers.local", "supervise"],
                cwd=REPOSITORY,
                env=os.environ | {"KUBE_HA_LOCAL_ROOT": str(self.root)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_TIMEOUT
        while not self._answers():
            if time.monotonic() > deadline or child.poll():
                tail = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
                raise UnreachableError(f"the supervisor did not come up. The end of {log}:\n{tail}")
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            self._request("GET", "/v1/resources", None)
        except UnreachableError:
            return False
        return True

    def _replace_outdated(self) -> None:
        """End a supervisor that runs older code than is on disk; its machines run on, and the next one adopts them."""
        try:
            outdated = bool(self._request("GET", "/v1/supervisor", None)["outdated"])
        except CloudRefusalError:
            outdated = True
        if outdated:
            supervisor = process(int((self.root / "supervisor.lock").read_text()))
            supervisor.send(signal.SIGTERM)
            supervisor.wait(START_TIMEOUT)
            self.ensure_running()

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        try:
            if not self._is_current:
                self._replace_outdated()
                self._is_current = True
            return self._request(method, path, body)
        except UnreachableError:
            self.ensure_running()
            return self._request(method, path, body)

    def _request(self, method: str, path: str, body: object) -> Any:
        with self._answer(method, path, json.dumps(body).encode() if body is not None else None, {}) as response:
            return json.loads(response.read())

    @contextmanager
    def exchange(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Iterator[http.client.HTTPResponse]:
        """One request whose answer is bytes, to be read within the context.

        Raises:
            CloudRefusalError: the supervisor does not do that.
            UnreachableError: it does not answer.
        """
        if not self._is_current:
            self.resources()
        with self._answer(method, path, body, headers or {}) as response:
            yield response

    @contextmanager
    def _answer(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Iterator[http.client.HTTPResponse]:
        connection = _Connection(self.socket, REQUEST_TIMEOUT)
        try:
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            if response.status >= http.HTTPStatus.BAD_REQUEST:
                raise CloudRefusalError(response.status, json.loads(response.read())["error"])
            yield response
        except (OSError, http.client.HTTPException) as error:
            raise UnreachableError(f"no supervisor answers at {self.socket}: {error}") from error
        finally:
            connection.close()
