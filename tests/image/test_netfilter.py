"""kube-proxy's image has every library that its programs load."""

from pathlib import Path

import pytest

from toolchain.image import netfilter
from toolchain.image.command import ImageError

LDD = """\
/usr/sbin/nft:
\tlinux-vdso.so.1 (0x00007ffd2a5f2000)
\tlibnftables.so.1 => /lib/x86_64-linux-gnu/libnftables.so.1 (0x00007f0c5a400000)
\tlibc.so.6 => /usr/lib/x86_64-linux-gnu/libc.so.6 (0x00007f0c5a21f000)
\t/lib64/ld-linux-x86-64.so.2 (0x00007f0c5a55b000)
/usr/sbin/conntrack:
\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f0c5a21f000)
"""


def test_libraries_and_the_loader_are_found_once_under_merged_usr() -> None:
    assert netfilter.shared_libraries(LDD) == [
        "/usr/lib/x86_64-linux-gnu/libc.so.6",
        "/usr/lib/x86_64-linux-gnu/libnftables.so.1",
        "/usr/lib64/ld-linux-x86-64.so.2",
    ]


def test_a_library_that_is_missing_ends_the_build() -> None:
    with pytest.raises(ImageError, match=r"libmnl\.so\.0 => not found"):
        netfilter.shared_libraries("\tlibmnl.so.0 => not found\n")


def test_a_link_of_the_root_is_followed_in_the_root(tmp_path: Path) -> None:
    (tmp_path / "usr/lib").mkdir(parents=True)
    (tmp_path / "usr/lib/real.so.1.2").touch()
    (tmp_path / "usr/lib/real.so.1").symlink_to("real.so.1.2")
    (tmp_path / "usr/lib/alias.so").symlink_to("/usr/lib/real.so.1")
    assert netfilter.inside(tmp_path, "/usr/lib/alias.so") == tmp_path / "usr/lib/real.so.1.2"
