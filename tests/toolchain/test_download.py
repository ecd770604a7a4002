"""Downloads are checked, and a host that does not answer is asked once."""

import hashlib
import io
import socket
import tarfile
import urllib.request
from pathlib import Path
from typing import BinaryIO

import pytest

from toolchain import download
from toolchain.tool import Download, Match, Tool
from toolchain.way_error import WayError

WAY = Download(
    url="https://example.org/{version}/t.tar.gz", checksums="https://example.org/sums", members=("*/t",), strip=1
)
TOOL = Tool(name="t", version="1.0.0", binaries={"t": "t"}, match=Match.EXACT, ways=(WAY,))


class Site(download.Fetcher):
    """A release site in memory."""

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__()
        self.files = files

    def open(self, url: str) -> BinaryIO:
        return io.BytesIO(self.files[url])


def archive(*members: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), 0o644
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def site(content: bytes, digest: str | None = None) -> Site:
    sums = f"{digest or hashlib.sha256(content).hexdigest()}  t.tar.gz\n"
    return Site({"https://example.org/1.0.0/t.tar.gz": content, "https://example.org/sums": sums.encode()})


def test_what_matches_the_published_checksum_is_unpacked_and_executable(tmp_path: Path) -> None:
    content = archive(("t-1.0.0/t", b"program"), ("t-1.0.0/README", b"text"))
    assert "example.org" in download.obtain(WAY, TOOL, tmp_path, site(content))
    assert (tmp_path / "t").read_bytes() == b"program"
    assert (tmp_path / "t").stat().st_mode & 0o111
    assert [path.name for path in tmp_path.iterdir()] == ["t"]


def test_a_wrong_checksum_is_refused_before_anything_is_unpacked(tmp_path: Path) -> None:
    with pytest.raises(WayError, match=r"refused: its sha256 is [0-9a-f]{64}, the project publishes 0{64}"):
        download.obtain(WAY, TOOL, tmp_path, site(archive(("t-1.0.0/t", b"evil")), "0" * 64))
    assert not (tmp_path / "t").exists()


def test_a_file_that_publishes_no_checksum_of_ours_is_not_enough(tmp_path: Path) -> None:
    files = {"https://example.org/1.0.0/t.tar.gz": b"", "https://example.org/sums": b"00  other.tar.gz\n00  x\n"}
    with pytest.raises(WayError, match=r"has no sha256 of t\.tar\.gz"):
        download.obtain(WAY, TOOL, tmp_path, Site(files))


def test_an_archive_cannot_write_outside_its_folder(tmp_path: Path) -> None:
    content = archive(("a/../../t", b"evil"))
    with pytest.raises(WayError, match="unsafe path"):
        download.obtain(WAY, TOOL, tmp_path / "in", site_into(tmp_path, content))


def site_into(tmp_path: Path, content: bytes) -> Site:
    (tmp_path / "in").mkdir()
    return site(content)


@pytest.mark.parametrize(
    "text",
    [
        "ab12\n",
        "AB12  t.tar.gz\n",
        "ffff  other.tar.gz\nab12 *t.tar.gz\n",
        "ab12  ./t.tar.gz\nffff  t.tar.gz.sig\n",
    ],
)
def test_checksums_are_read_in_every_form_that_projects_publish(text: str) -> None:
    assert download.published(text, "t.tar.gz") == "ab12"


def test_a_host_that_cannot_be_reached_is_asked_once_in_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def refuse(address: tuple[str, int], timeout: float) -> socket.socket:
        asked.append(address[0])
        assert timeout <= 5
        raise TimeoutError("timed out")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(urllib.request, "getproxies", dict)
    fetcher = download.Fetcher()
    for _ in range(3):
        with pytest.raises(WayError, match=r"example\.org is unreachable: timed out"):
            fetcher.read("https://example.org/file")
    assert asked == ["example.org"]
