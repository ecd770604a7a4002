"""Container images have the names that kubeadm asks for."""

from pathlib import Path

import pytest

from toolchain import cache
from toolchain.image import container_images
from toolchain.image.command import ImageError

REFERENCES = ["registry.example/kube-proxy:v1", "registry.example/coredns/coredns:v2"]


def test_an_image_is_called_what_kubeadm_calls_it() -> None:
    assert container_images.called("coredns", REFERENCES) == "registry.example/coredns/coredns:v2"


def test_an_image_that_kubeadm_does_not_know_ends_the_build() -> None:
    with pytest.raises(ImageError, match="pause: kubeadm config images list names no such image"):
        container_images.called("pause", REFERENCES)


def toolchain_lacks(*names: str) -> bool:
    try:
        for name in names:
            cache.binary(name)
    except cache.MissingToolError:
        return True
    return False


@pytest.mark.skipif(toolchain_lacks("kubeadm", "coredns"), reason="the toolchain is not installed: run `make tools`")
def test_kubeadm_asks_for_no_image_that_is_not_made(tmp_path: Path) -> None:
    asked = container_images.asked_by_kubeadm()
    made = {component.image.reference for component in container_images.components(tmp_path, asked, (), "amd64")}
    # etcd runs under systemd on every machine, never in a pod.
    assert {reference for reference in asked if "/etcd:" not in reference} == made
