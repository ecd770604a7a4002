"""No sequence of faults makes two clusters or loses a write: at random, over real etcd processes."""

import os
import random
import subprocess
import sys

import pytest

SETTLING_SECONDS = 240
"""The last episode begins before the time is over, and ends when it ends."""


@pytest.mark.skipif(os.geteuid() != 0, reason="cuts need a network namespace: root")
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    "seconds", [pytest.param(20, marks=pytest.mark.slow), pytest.param(400, marks=pytest.mark.campaign)]
)
def test_random_faults_neither_make_two_clusters_nor_lose_a_write(
    seconds: int, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = int(os.environ.get("SEED", random.SystemRandom().randrange(10**6)))
    words = ["-m", "tests.restore.random_faults", f"--seed={seed}", f"--seconds={seconds}"]
    ran = subprocess.run(
        ["unshare", "--net", "--kill-child", "--fork", sys.executable, *words],
        capture_output=True, text=True, check=False, timeout=seconds + SETTLING_SECONDS,
    )  # fmt: skip
    told = [line for line in ran.stdout.splitlines() if line.startswith("seed ")]
    with capsys.disabled():
        print(f"\n{told[-1] if told else f'seed {seed}: no episode ended'}")
    assert ran.returncode == 0, "\n".join([*told, ran.stdout[-6000:], ran.stderr[-6000:]])
