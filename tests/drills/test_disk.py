"""A power failure loses what was not synced and nothing else; a slow disk is slow until it is not."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from drills import disk

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounts a file system")


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Path]:
    file, mount = tmp_path / "volume", tmp_path / "mount"
    mount.mkdir()
    with file.open("wb") as image:
        image.truncate(64 * 1024**2)
    subprocess.run(["mkfs.ext4", "-q", str(file)], check=True)
    subprocess.run(["mount", "-o", "loop", str(file), str(mount)], check=True)
    yield mount
    subprocess.run(["umount", str(mount)], check=True)


def again(mount: Path) -> None:
    subprocess.run(["umount", str(mount)], check=True)
    subprocess.run(["mount", "-o", "loop", str(mount.parent / "volume"), str(mount)], check=True)


def synced_write(path: Path, content: str) -> None:
    with path.open("w") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def test_what_was_synced_is_there_after_a_power_failure_and_what_was_not_is_gone(volume: Path) -> None:
    synced_write(volume / "synced", "x")
    (volume / "written").write_text("x")
    disk.lose_unsynced(volume)
    with pytest.raises(OSError, match="Input/output"):
        (volume / "later").write_text("x")
    again(volume)
    assert (volume / "synced").read_text() == "x"
    assert not (volume / "written").exists()


def test_a_folder_that_is_no_volume_is_left_alone(tmp_path: Path) -> None:
    disk.lose_unsynced(tmp_path)
    (tmp_path / "file").write_text("x")


@pytest.mark.skipif(not (disk.HIERARCHY / disk.THROTTLE).exists(), reason="no cgroup v1 hierarchy of blkio")
def test_a_throttled_disk_is_slow_until_it_is_healed(volume: Path) -> None:
    def seconds() -> float:
        begin = time.monotonic()
        for number in range(5):
            synced_write(volume / f"file-{number}", "x")
        return time.monotonic() - begin

    disk.throttle(volume, os.getpid(), disk.SLOW_WRITES)
    try:
        assert seconds() > 0.2
    finally:
        disk.unthrottle()
    assert f"{volume.stat().st_dev >> 8}:" not in (disk.HIERARCHY / disk.THROTTLE).read_text()
