"""Official downloads: fetched, checked against the published sha256, unpacked."""

import fnmatch
import hashlib
import platform
import shutil
import socket
import tarfile
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from toolchain.tool import Download, Tool
from toolchain.way_error import WayError

CONNECT_SECONDS = 4.0
READ_SECONDS = 30.0
CHUNK = 1 << 20
ARCHIVES = (".tar.gz", ".tgz")


class Fetcher:
    """Reads URLs, and asks a host that did not answer only once in a run."""

    def __init__(self) -> None:
        self.unreachable: dict[str, str] = {}
        """Reason by host."""

    def read(self, url: str) -> bytes:
        """A small file's content."""
        with self.open(url) as response:
            return response.read()

    def save(self, url: str, path: Path) -> str:
        """Write a file without holding it in memory; its sha256."""
        digest = hashlib.sha256()
        with self.open(url) as response, path.open("wb") as file:
            try:
                while chunk := response.read(CHUNK):
                    digest.update(chunk)
                    file.write(chunk)
            except OSError as error:
                raise WayError(f"{url} broke off: {error}") from error
        return digest.hexdigest()

    def open(self, url: str) -> BinaryIO:
        """Start reading.

        Raises:
            WayError: the host cannot be reached now or could not before, or it has no such file.
        """
        host = urllib.parse.urlsplit(url).hostname or url
        self.reach(host)
        try:
            response: BinaryIO = urllib.request.urlopen(url, timeout=READ_SECONDS)  # noqa: S310 - https, from the table
        except urllib.error.HTTPError as error:
            raise WayError(f"{url} answered {error.code} {error.reason}") from error
        except OSError as error:
            raise WayError(self.gave_up(host, error)) from error
        return response

    def reach(self, host: str) -> None:
        """Find out within seconds whether a host can be reached: urllib has one timeout for this and for reading.

        Raises:
            WayError: it cannot be reached now, or could not before.
        """
        if host in self.unreachable:
            raise WayError(f"{host} is unreachable: {self.unreachable[host]}")
        if "https" in urllib.request.getproxies() and not urllib.request.proxy_bypass(host):
            return
        try:
            socket.create_connection((host, 443), timeout=CONNECT_SECONDS).close()
        except OSError as error:
            raise WayError(self.gave_up(host, error)) from error

    def gave_up(self, host: str, error: OSError) -> str:
        """Remember that a host cannot be reached; the message."""
        self.unreachable[host] = str(getattr(error, "reason", error))
        return f"{host} is unreachable: {self.unreachable[host]}"


def obtain(way: Download, tool: Tool, into: Path, fetcher: Fetcher) -> str:
    """Fetch, check and unpack a tool into a folder; where it came from, for the listing.

    Raises:
        WayError: with the reason.
    """
    url, checksums = (expanded(text, tool) for text in (way.url, way.checksums))
    name = url.rsplit("/", 1)[-1]
    want = published(fetcher.read(checksums).decode(), name)
    if want is None:
        raise WayError(f"{checksums} has no sha256 of {name}")
    saved = into / name
    got = fetcher.save(url, saved)
    if got != want:
        raise WayError(f"{url} refused: its sha256 is {got}, the project publishes {want}")
    if name.endswith(ARCHIVES):
        with tarfile.open(saved) as archive:
            unpack(archive, way, into)
        saved.unlink()
    else:
        saved.rename(into / next(iter(tool.binaries)))
    for path in tool.binaries.values():
        if not (into / path).is_file():
            raise WayError(f"{url} has no {path}")
        (into / path).chmod(0o755)
    return f"downloaded from {urllib.parse.urlsplit(url).hostname}, sha256 as published"


def expanded(text: str, tool: Tool) -> str:
    """A URL of the table with its placeholders filled in."""
    machine = platform.machine()
    arch = {"x86_64": ("amd64", "x64"), "aarch64": ("arm64", "arm64")}.get(machine)
    if arch is None:
        raise WayError(f"no download for {machine}: only for x86_64 and aarch64")
    return text.format(name=tool.name, version=tool.version, arch=arch[0], x64=arch[1])


def published(text: str, name: str) -> str | None:
    """The sha256 of `name` in a published file: a line `<sha256>  <name>`, or nothing but the sha256."""
    lines = [line.split() for line in text.splitlines() if line.strip()]
    if len(lines) == 1 and len(lines[0]) == 1:
        return lines[0][0].lower()
    named = (line[0].lower() for line in lines if len(line) == 2 and PurePosixPath(line[1].lstrip("*")).name == name)
    return next(named, None)


def unpack(archive: tarfile.TarFile, way: Download, into: Path) -> None:
    """Unpack the members that the table names, without their leading components."""
    for member in archive:
        path = PurePosixPath(member.name)
        if not member.isfile() or not any(fnmatch.fnmatch(str(path), pattern) for pattern in way.members):
            continue
        target = into.joinpath(*path.parts[way.strip :])
        if ".." in path.parts or path.is_absolute():
            raise WayError(f"the archive has an unsafe path: {member.name}")
        target.parent.mkdir(parents=True, exist_ok=True)
        source = archive.extractfile(member)
        if source is None:
            raise WayError(f"the archive's {member.name} cannot be read")
        with source, target.open("wb") as file:
            shutil.copyfileobj(source, file)
        target.chmod(member.mode & 0o755)
