"""An image archive is what OCI says it is, and the same content gives the same bytes."""

import hashlib
import io
import json
import random
import tarfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolchain.image import oci

NAMES = st.text("abc", min_size=1, max_size=3)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)


@pytest.fixture
def image(tmp_path: Path) -> oci.Image:
    program = tmp_path / "program"
    program.write_bytes(b"\x7fELF")
    return oci.Image(
        reference="registry.k8s.io/thing:v1",
        architecture="amd64",
        entrypoint=("/usr/bin/thing", "-P"),
        content=(
            oci.File(path="usr/bin/thing", source=program, executable=True),
            oci.File(path="etc/thing.conf", source=program),
            oci.Link(path="bin", target="usr/bin"),
        ),
        user="65532:65532",
    )


def blobs(archive: Path) -> dict[str, bytes]:
    with tarfile.open(archive) as tar:
        members = {member.name: tar.extractfile(member) for member in tar.getmembers()}
        return {name: opened.read() for name, opened in members.items() if opened}


def manifest(archive: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    content = blobs(archive)
    index = json.loads(content["index.json"])
    return json.loads(content[oci.blob(index["manifests"][0]["digest"])]), content


def test_every_blob_has_the_name_and_size_that_refer_to_it(image: oci.Image, tmp_path: Path) -> None:
    oci.write(image, tmp_path / "image.tar")
    found, content = manifest(tmp_path / "image.tar")
    for described in (found["config"], *found["layers"]):
        blob = content[oci.blob(described["digest"])]
        assert len(blob) == described["size"]
        assert f"sha256:{hashlib.sha256(blob).hexdigest()}" == described["digest"]


def test_containerd_learns_the_images_name_from_the_index(image: oci.Image, tmp_path: Path) -> None:
    oci.write(image, tmp_path / "image.tar")
    index = json.loads(blobs(tmp_path / "image.tar")["index.json"])
    assert index["manifests"][0]["annotations"]["io.containerd.image.name"] == "registry.k8s.io/thing:v1"


def test_the_configuration_says_what_starts_and_as_whom(image: oci.Image, tmp_path: Path) -> None:
    oci.write(image, tmp_path / "image.tar")
    found, content = manifest(tmp_path / "image.tar")
    config = json.loads(content[oci.blob(found["config"]["digest"])])
    assert config["config"]["Entrypoint"] == ["/usr/bin/thing", "-P"]
    assert config["config"]["User"] == "65532:65532"
    assert config["rootfs"]["diff_ids"] == [found["layers"][0]["digest"]]


def test_the_layer_has_the_files_links_and_modes(image: oci.Image, tmp_path: Path) -> None:
    oci.write(image, tmp_path / "image.tar")
    found, content = manifest(tmp_path / "image.tar")
    with tarfile.open(fileobj=io.BytesIO(content[oci.blob(found["layers"][0]["digest"])])) as layer:
        members = {member.name: member for member in layer.getmembers()}
    assert members["usr/bin/thing"].mode == 0o755
    assert members["etc/thing.conf"].mode == 0o644
    assert members["bin"].linkname == "usr/bin"
    assert members["usr"].isdir()


def test_the_same_content_gives_the_same_bytes_in_any_order_and_at_any_time(image: oci.Image, tmp_path: Path) -> None:
    oci.write(image, tmp_path / "one.tar")
    (tmp_path / "program").touch()
    shuffled = oci.Image(**{**vars(image), "content": tuple(reversed(image.content))})
    oci.write(shuffled, tmp_path / "two.tar")
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()


@given(paths=st.lists(PATHS, min_size=1))
def test_a_folder_comes_before_what_is_in_it(paths: list[str]) -> None:
    random.shuffle(paths)
    seen: set[str] = set()
    for folder in oci.folders(paths):
        assert str(Path(folder).parent) in seen | {"."}
        seen.add(folder)
    assert {str(Path(path).parent) for path in paths} <= seen | {"."}


def test_nothing_is_left_beside_the_archive(image: oci.Image, tmp_path: Path) -> None:
    oci.write(image, tmp_path / "image.tar")
    assert {path.name for path in tmp_path.iterdir()} == {"image.tar", "program"}
