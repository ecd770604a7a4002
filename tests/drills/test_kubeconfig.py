"""A kubeconfig that a drill cannot use is refused with its name and what is missing."""

from pathlib import Path

import pytest
import yaml

from drills import kubeconfig
from drills.kubeconfig import KubeconfigError
from tests.drills.fake_api import FakeApi


def test_endpoint_and_credentials_are_those_of_the_current_context(api: FakeApi) -> None:
    access = kubeconfig.load(api.kubeconfig)
    assert (access.host, access.port) == ("127.0.0.1", api.port)
    assert access.tls().get_ca_certs()


@pytest.mark.parametrize(
    ("section", "key", "value", "said"),
    [
        ("clusters", "server", "http://x:1", "https"),
        ("clusters", "certificate-authority", None, "certificate-authority"),
        ("clusters", "certificate-authority", "no-such.pem", "cannot be read.*no-such.pem"),
        ("clusters", "certificate-authority-data", "%%%", "cannot be read"),
        ("clusters", "certificate-authority-data", "bm9uc2Vuc2U=", "cannot be used"),
        ("users", "client-key", None, "neither"),
    ],
)
def test_what_is_missing_is_named(api: FakeApi, section: str, key: str, value: str | None, said: str) -> None:
    document = yaml.safe_load(api.kubeconfig.read_text())
    (entry,) = document[section]
    entry[section.rstrip("s")][key] = value
    api.kubeconfig.write_text(yaml.safe_dump(document))
    with pytest.raises(KubeconfigError, match=f"kubeconfig: .*{said}"):
        kubeconfig.load(api.kubeconfig)


@pytest.mark.parametrize("content", ["", "a: b", "[", "current-context: x\ncontexts: []\nclusters: []\nusers: []"])
def test_what_is_no_kubeconfig_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "config"
    path.write_text(content)
    with pytest.raises(KubeconfigError, match="not a kubeconfig"):
        kubeconfig.load(path)
