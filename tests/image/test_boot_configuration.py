"""What is left out of the boot is left out by its right name, and what user data may use is there."""

from pathlib import Path

import pytest
import yaml

from toolchain import artifacts
from toolchain.image import boot


def test_every_stage_of_cloud_init_that_debian_starts_is_replaced() -> None:
    stages = {"cloud-init-local.service", "cloud-init.service", "cloud-config.service", "cloud-final.service"}
    assert stages <= set(boot.UNITS_LEFT_OUT)
    for stage in ('["init", "--local"]', '["init"]', '"--mode=config"', '"--mode=final"'):
        assert stage in boot.ALL_STAGES


def test_user_data_may_write_files_and_run_commands() -> None:
    config = yaml.safe_load(boot.CLOUD_CONFIG)
    assert "write-files" in config["cloud_init_modules"]
    assert "runcmd" in config["cloud_config_modules"]
    assert "scripts-user" in config["cloud_final_modules"]


def test_nothing_is_masked_that_machines_use() -> None:
    needed = {"dbus.socket", "systemd-journald.service", "systemd-tmpfiles-setup.service", boot.CLOUD_INIT}
    assert not needed & set(boot.UNITS_LEFT_OUT)


def built_root() -> Path | None:
    try:
        return artifacts.load().image / "root"
    except artifacts.MissingArtifactsError:
        return None


@pytest.mark.skipif(built_root() is None, reason="the machine image is not built: run `make tools`")
@pytest.mark.parametrize(
    ("folder", "name"),
    [
        *(("system", unit) for unit in boot.UNITS_LEFT_OUT),
        *(("system-generators", generator) for generator in boot.GENERATORS_LEFT_OUT),
    ],
)
def test_what_is_left_out_is_something_that_debian_has(folder: str, name: str) -> None:
    root = built_root()
    assert root is not None
    assert (root / "usr/lib/systemd" / folder / name).exists()
