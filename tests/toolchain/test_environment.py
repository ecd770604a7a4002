"""What `make env` prints can be evaluated by any shell, and leaves alone what is the user's."""

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolchain import cache, environment, plugins


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40))
def test_any_value_survives_a_shell(value: str) -> None:
    script = environment.exports({"VALUE": value}) + '\nprintf "%s" "$VALUE"'
    assert subprocess.run(["sh", "-c", script], capture_output=True, check=True).stdout == value.encode()


def test_the_tools_come_first_on_path_once_however_often_it_is_evaluated(tmp_path: Path) -> None:
    once = environment.variables({"PATH": "/usr/bin:/bin"}, tmp_path)
    assert once["PATH"] == f"{cache.bin_dir()}:/usr/bin:/bin"
    assert environment.variables(once, tmp_path)["PATH"] == once["PATH"]


def test_the_backend_is_a_private_folder_of_this_clone_that_exists(tmp_path: Path) -> None:
    assert environment.variables({}, tmp_path)["PULUMI_BACKEND_URL"] == f"file://{tmp_path}/.state"
    assert (tmp_path / ".state").stat().st_mode & 0o777 == 0o700


def test_the_backend_of_another_clone_is_replaced_and_the_users_own_is_kept(tmp_path: Path) -> None:
    other = environment.variables({"PULUMI_BACKEND_URL": "file:///home/a/kube-ha/.state"}, tmp_path)
    assert other["PULUMI_BACKEND_URL"] == f"file://{tmp_path}/.state"
    assert "PULUMI_BACKEND_URL" not in environment.variables({"PULUMI_BACKEND_URL": "s3://states"}, tmp_path)


@pytest.mark.parametrize("name", ["PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"])
def test_the_users_own_passphrase_is_never_replaced(name: str, tmp_path: Path) -> None:
    assert "PULUMI_CONFIG_PASSPHRASE" not in environment.variables({name: "theirs"}, tmp_path)
    assert "PULUMI_CONFIG_PASSPHRASE" in environment.variables({}, tmp_path)


def test_plugins_are_acquired_by_the_engine_only_where_no_stand_ins_are(tmp_path: Path) -> None:
    name = "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"
    before = environment.variables({}, tmp_path)
    assert name not in before
    assert before["PULUMI_HOME"] == str(cache.root() / "pulumi")
    plugins.stand_in(tmp_path, "tls", "5.2.0")
    after = environment.variables({}, tmp_path)
    assert (after[name], after["PULUMI_HOME"]) == ("true", str(plugins.own_home(tmp_path)))


def test_the_environment_is_printed_for_eval() -> None:
    path = {"PATH": os.environ["PATH"]}
    text = environment.exports(environment.variables(path, Path.cwd()))
    assert all(line.startswith("export ") for line in text.splitlines())
    done = subprocess.run(
        ["sh", "-euc", text + '\necho "$PULUMI_BACKEND_URL"'], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip().endswith("/.state")
