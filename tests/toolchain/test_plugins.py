"""tls and random: official where they can be downloaded, else this clone's own."""

from pathlib import Path

import pytest

from toolchain import plugins
from toolchain.download import Fetcher
from toolchain.way_error import WayError


class NoNetwork(Fetcher):
    """Nothing can be reached."""

    def reach(self, host: str) -> None:
        raise WayError(f"{host} is unreachable: it is a test")


def repository(folder: Path) -> Path:
    for name in plugins.NAMES:
        (folder / "providers" / name).mkdir(parents=True)
    return folder


def test_without_a_network_this_clones_providers_stand_in_with_this_clones_python(tmp_path: Path) -> None:
    found = plugins.ensure(repository(tmp_path), NoNetwork())
    assert [plugin.source for plugin in found] == [
        f"stand-in providers/{name}; get.pulumi.com is unreachable: it is a test" for name in plugins.NAMES
    ]
    for plugin in found:
        script = plugins.folder(plugins.home(tmp_path), plugin.name, plugin.version) / f"pulumi-resource-{plugin.name}"
        assert f"{tmp_path}/providers/{plugin.name}" in script.read_text()
        assert script.stat().st_mode & 0o111


def test_a_clone_keeps_its_stand_ins_although_the_download_would_work_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugins.ensure(repository(tmp_path), NoNetwork())
    monkeypatch.setattr(plugins, "install", lambda *_: pytest.fail("a stack would change its provider"))
    assert plugins.ensure(tmp_path, Fetcher())[0].source == "stand-in providers/random"


def test_official_plugins_are_used_where_they_can_be_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugins, "install", lambda *_: None)
    assert {plugin.source for plugin in plugins.ensure(repository(tmp_path), Fetcher())} == {"official plugin"}
    assert not plugins.standing_in(tmp_path)


def test_a_stand_in_of_an_older_version_goes(tmp_path: Path) -> None:
    plugins.stand_in(tmp_path, "tls", "5.1.0")
    plugins.stand_in(tmp_path, "tls", "5.2.0")
    assert [path.name for path in (plugins.home(tmp_path) / "plugins").iterdir()] == ["resource-tls-v5.2.0"]


def test_what_the_engine_notes_beside_a_stand_in_stays(tmp_path: Path) -> None:
    plugins.stand_in(tmp_path, "tls", "5.2.0")
    note = plugins.home(tmp_path) / "plugins/resource-tls-v5.2.0.lastused"
    note.touch()
    plugins.stand_in(tmp_path, "tls", "5.2.0")
    assert note.exists()


def test_with_neither_the_error_names_both_ways(tmp_path: Path) -> None:
    with pytest.raises(plugins.NoPluginError, match=r"unreachable(?s:.)*no folder providers/random"):
        plugins.ensure(tmp_path, NoNetwork())
