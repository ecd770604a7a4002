"""`make rotate-authorities`: the next step of a rotation of the certificate authorities, once the last one is whole."""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from cli import pod_trust
from cli.authorities import KEY, authorities_of, deployed, said, settings_of
from cli.confirmation import confirm
from cli.engine import Engine, EngineError
from cli.object_store import Memory, memory
from cli.refused import RefusedError
from cli.restore import presences
from cli.up import up
from components.authority_settings import AuthoritySettings
from toolchain.progress import console

ROLL_SECONDS: Final = 3600.0
"""How long a step may take to reach the last machine; each is away for one to five minutes in a cloud."""
POLL_SECONDS: Final = 5.0

TRUST: Final = "every machine trusts generation {newest} as well; generation {signing} still signs"
SIGN: Final = "generation {newest} signs; both are trusted"
RETIRE: Final = "generation {oldest} is trusted no more, and its keys are forgotten"

BEFORE_SIGN: Final = """\
Before it, give everybody the kubeconfig of now (make kubeconfig), and replace every worker that joined before the last
step: who has the authorities of before does not trust generation {newest}."""
BEFORE_RETIRE: Final = """\
Before it, give everybody the kubeconfig of now (make kubeconfig), and replace every worker that joined before
generation {newest} signed: what has a certificate of generation {oldest} is turned away afterwards."""


def rotate(engine: Engine, *, yes: bool) -> int:
    """Take the next step and wait until every machine has; the exit status.

    Raises:
        RefusedError: the last step is not whole, or somebody said no.
        EngineError: a machine is not replaced, or pods are not told, in time.
    """
    known = memory(engine)
    plane = deployed(engine.resources())
    if plane is None:
        raise RefusedError(f"stack {engine.stack} is not up, or its cloud keeps the authorities: nothing to rotate")
    now, wanted = authorities_of(plane), settings_of(engine).authorities
    if now != wanted:
        raise RefusedError(
            f"stack {engine.stack} says {said(wanted)}, and what is up has {said(now)}: make up STACK={engine.stack}"
        )
    if late := behind(plane["inputs"], presences(known), now):
        raise RefusedError(f"{', '.join(late)}: not with {said(now)} yet; the step before is still rolling")
    # The last step may have been left between its last machine and this.
    pod_trust.settle(engine)
    following = now.following
    explain(now, following)
    if now.signing != following.signing and (workers := pod_trust.workers_of_before(engine)):
        console.print(f"workers that joined before ({len(workers)}): {', '.join(workers)}", soft_wrap=True)
    if not yes:
        confirm(engine.stack, "take this step")
    write(engine, following)
    if (status := up(engine)) != 0:
        return status
    await_all(engine, known, following)
    pod_trust.settle(engine)
    console.print(f"every machine has {said(following)}; stacks/Pulumi.{engine.stack}.yaml says so: keep that change")
    return 0


def behind(
    declared: Mapping[str, Any], machines: Iterable[Mapping[str, Any]], wanted: AuthoritySettings
) -> Sequence[str]:
    """Masters and members that have not said that they started with these authorities."""
    names = {machine["name"] for machine in (*declared["masters"], *declared["members"])}
    whole = {
        one["machine"] for one in machines if AuthoritySettings.model_validate(one.get("authorities", {})) == wanted
    }
    return sorted(names - whole)


def explain(now: AuthoritySettings, following: AuthoritySettings) -> None:
    """What the step does, and what its user has to have done."""
    numbers = {"signing": now.signing, "oldest": now.trusted[0], "newest": following.trusted[-1]}
    step, before = RETIRE, BEFORE_RETIRE
    if len(following.trusted) > len(now.trusted):
        step, before = TRUST, ""
    elif len(following.trusted) == len(now.trusted):
        step, before = SIGN, BEFORE_SIGN
    console.print(f"Next step: {step.format(**numbers)}.\n{before.format(**numbers)}".rstrip(), soft_wrap=True)


def write(engine: Engine, authorities: AuthoritySettings) -> None:
    """Into the stack's settings."""
    engine.read("config", "rm", KEY, "--stack", engine.stack)
    values = {f"{KEY}.signing": authorities.signing}
    values |= {f"{KEY}.trusted[{index}]": number for index, number in enumerate(authorities.trusted)}
    for path, value in values.items():
        engine.read("config", "set", "--path", path, str(value), "--stack", engine.stack)


def await_all(engine: Engine, known: Memory, wanted: AuthoritySettings) -> None:
    """Until every machine was replaced by one with these authorities. `up` waits for it on this machine only.

    Raises:
        EngineError: it takes too long; a machine that does not become whole stops the roll.
    """
    plane, end, said_last = deployed(engine.resources()), time.monotonic() + ROLL_SECONDS, ""
    while plane and (late := ", ".join(behind(plane["inputs"], presences(known), wanted))):
        if time.monotonic() > end:
            raise EngineError(f"{late}: still not replaced after {ROLL_SECONDS / 60:.0f} minutes; how are they?")
        if late != said_last:
            console.print(f"  waiting for {late}", highlight=False)
            said_last = late
        time.sleep(POLL_SECONDS)
