"""A restored snapshot is judged against what is live."""

from typing import Any

import pytest

from components.node.agent.comparison import compare, objects

REVISION = 100


def an_object(name: str, *, kind: str = "ConfigMap", uid: str = "u", version: int = 5, **more: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "default", "uid": uid, "resourceVersion": str(version)}
    return {"kind": kind, "metadata": metadata, **more}


def identity(uid: str = "id") -> dict[str, Any]:
    return {"kind": "Namespace", "metadata": {"name": "kube-system", "uid": uid, "resourceVersion": "1"}}


def test_what_did_not_change_is_equal() -> None:
    held = [identity(), an_object("a", data={"k": "v"})]
    found = compare(held, held, REVISION)
    assert (found.equal, found.later, found.good) == (2, 0, True)


@pytest.mark.parametrize(
    "live",
    [
        [],
        [an_object("a", uid="another", data={"k": "w"})],
        [an_object("a", version=6, data={"k": "w"})],
    ],
    ids=["deleted", "made anew", "changed"],
)
def test_what_happened_since_is_no_damage(live: list[dict[str, Any]]) -> None:
    found = compare([identity(), an_object("a", data={"k": "v"})], [identity(), *live], REVISION)
    assert (found.later, found.good) == (1, True)


def test_the_same_version_with_another_content_is_damage() -> None:
    found = compare([identity(), an_object("a", data={"k": "v"})], [identity(), an_object("a", data={})], REVISION)
    assert not found.good
    assert "ConfigMap default a" in found.message


def test_what_the_throwaway_wrote_itself_says_nothing() -> None:
    own = an_object("a", version=REVISION + 1, data={"k": "throwaway"})
    live = an_object("a", version=REVISION + 1, data={"k": "live"})
    assert compare([identity(), own], [identity(), live], REVISION).good


def test_a_snapshot_of_another_cluster_is_found() -> None:
    found = compare([identity("other")], [identity()], REVISION)
    assert not found.good
    assert "another cluster" in found.message


def test_nothing_equal_is_no_proof() -> None:
    restored = {**identity(), "metadata": {**identity()["metadata"], "resourceVersion": "2"}}
    assert not compare([restored], [identity()], REVISION).good


def test_items_of_a_list_know_their_kind() -> None:
    assert objects({"kind": "SecretList", "items": [{"metadata": {}}]}) == [{"metadata": {}, "kind": "Secret"}]
    assert objects({"kind": "SecretList", "items": None}) == []
