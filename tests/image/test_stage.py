"""What was built is kept under its inputs' name; what was half built is not; what runs is not removed."""

from pathlib import Path

import pytest

from toolchain.image import stage


@pytest.fixture(autouse=True)
def cache_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def built(inputs: dict[str, object], log: list[object]) -> Path:
    def build(folder: Path) -> None:
        log.append(inputs)
        (folder / "result").write_text("complete")

    return stage.cached("thing", "a thing", inputs, build)


def test_the_same_inputs_are_built_once() -> None:
    log: list[object] = []
    assert built({"a": 1, "b": 2}, log) == built({"b": 2, "a": 1}, log)
    assert len(log) == 1


def test_other_inputs_are_built_beside() -> None:
    log: list[object] = []
    assert built({"a": 1}, log) != built({"a": 2}, log)
    assert len(log) == 2


@pytest.mark.parametrize("end", [RuntimeError, KeyboardInterrupt])
def test_an_interrupted_build_leaves_nothing_and_is_begun_again(end: type[BaseException]) -> None:
    def interrupted(folder: Path) -> None:
        (folder / "half").touch()
        raise end

    with pytest.raises(end):
        stage.cached("thing", "a thing", {"a": 1}, interrupted)
    assert list(stage.folder().iterdir()) == []
    assert (built({"a": 1}, []) / "result").exists()


def test_what_a_killed_build_left_is_no_result_and_does_not_get_into_one() -> None:
    (stage.folder() / "thing.partial").mkdir(parents=True)
    (stage.folder() / "thing.partial" / "half").touch()
    assert [path.name for path in built({"a": 1}, []).iterdir()] == ["result"]


def test_an_old_image_goes_unless_a_machine_runs_on_it() -> None:
    old, used, kept = (built({"a": number}, []) for number in range(3))
    mounts = f"36 35 0:30 / /m rw - overlay overlay rw,lowerdir={used}/root,upperdir=/u,workdir=/w\n"
    assert stage.outdated([kept], mounts) == [old]
    stage.remove(stage.outdated([kept], mounts))
    assert {path.name for path in stage.folder().iterdir()} == {used.name, kept.name}


def test_an_old_image_stays_while_the_local_cloud_would_boot_machines_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = built({"a": 1}, [])
    monkeypatch.setattr(stage, "LOCAL_CLOUD", tmp_path)
    assert stage.outdated([], stage.uses()) == [old]
    (tmp_path / "state.json").write_text(f'{{"image": "{old}"}}')
    assert stage.outdated([], stage.uses()) == []


def test_a_name_that_begins_alike_does_not_keep_an_image() -> None:
    old = built({"a": 1}, [])
    assert stage.outdated([], f"lowerdir={old}0/root") == [old]


def test_a_replaced_file_has_another_identity(tmp_path: Path) -> None:
    (tmp_path / "binary").write_text("one")
    before = stage.identity(tmp_path / "binary")
    assert stage.identity(tmp_path / "binary") == before
    (tmp_path / "binary").write_text("three")
    assert stage.identity(tmp_path / "binary") != before
