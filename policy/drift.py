"""Configuration drift: `python -m policy.drift STACK`, which is `make drift`.

Reads what is really there, says what was changed behind the program's back, and judges that by the policy pack. It
changes nothing: not the stack, not its state. Exit status: 0 without drift and violations, 1 with, 2 if it cannot tell.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from policy.differences import differences, real_state, steps

REPOSITORY = Path(__file__).resolve().parents[1]


def main(stack: str, folder: Path = REPOSITORY) -> int:
    """Report; the exit status."""
    print(f"stack {stack}: looking at what is really there …", file=sys.stderr, flush=True)
    try:
        events = told(folder, "refresh", "--preview-only", "--json", "--stack", stack)
        exported = told(folder, "stack", "export", "--stack", stack)
    except subprocess.CalledProcessError as error:
        print(f"stack {stack}: cannot tell what is there:\n{error.stdout}{error.stderr}", file=sys.stderr)
        return 2
    except FileNotFoundError:
        print('pulumi is not on PATH: make drift, or eval "$(make -s env)" first', file=sys.stderr)
        return 2
    reality = steps(json.loads(line) for line in events.splitlines() if line.startswith("{"))
    found = differences(reality)
    print(f"stack {stack}: {len(found) or 'no'} change{'s' * (len(found) != 1)} behind the program's back", flush=True)
    for difference in found:
        print(f"  {difference}", flush=True)
    if found:
        print(f"`pulumi up --refresh --stack {stack}` puts everything back.", flush=True)
    lawful = judged(folder, real_state(json.loads(exported), reality))
    return int(bool(found) or not lawful)


def told(folder: Path, *arguments: str) -> str:
    """What a command of pulumi's prints; of a preview every event on a line of its own, with what a refresh found."""
    environment = {**os.environ, "PULUMI_ENABLE_STREAMING_JSON_PREVIEW": "true"}
    command = ["pulumi", "--non-interactive", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True).stdout


def judged(folder: Path, state: dict[str, Any]) -> bool:
    """Show what the pack says of a state; whether no mandatory rule is broken."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "state.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps(state))
        command = ["pulumi", "--non-interactive", "policy", "analyze", "--policy-pack", str(REPOSITORY / "policy")]
        done = subprocess.run([*command, "--file", str(path)], cwd=folder, check=False)
    return done.returncode == 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m policy.drift STACK")
    sys.exit(main(sys.argv[1]))
