"""Which of a group's machines this is, where the group has several: each holds a numbered slot, and leaves it behind.

An Auto Scaling group has no slots. They are claimed in the bucket, by conditional writes: a slot is free when its
holder is none of the group's living machines.
"""

import json
from collections.abc import Collection

from components.node.agent.cloud import CloudError, ConflictError, NotFoundError
from components.node.agent.clouds.aws_objects import Objects


class NoSlotError(CloudError):
    """Every slot of the group has a living holder, for now."""


def claim(objects: Objects, folder: str, instance: str, living: Collection[str], *, role: str, count: int) -> str:
    """The name of the slot that this instance holds: `master-1`.

    Args:
        folder: prefix of the slots' keys.
        living: instances of the group, those that are ending left out.
        role: what names begin with.
        count: how many machines the group has.

    Raises:
        NoSlotError: none is free; one is as soon as the group has ended the machine that this one replaces.
    """
    names = [f"{role}-{number}" for number in range(1, count + 1)]
    holders = {name: holder(objects, f"{folder}{name}") for name in names}
    for name, (held_by, _) in holders.items():
        if held_by == instance:
            return name
    for name, (held_by, etag) in holders.items():
        if held_by in living:
            continue
        content = json.dumps({"instance": instance}).encode()
        try:
            objects.put(f"{folder}{name}", content, if_absent=etag is None, if_match=etag, retain_until=None)
        except ConflictError:
            continue
        return name
    raise NoSlotError(f"all {count} slots of {folder} are held by living machines")


def holder(objects: Objects, key: str) -> tuple[str | None, str | None]:
    """Who holds a slot, and the etag of what says so."""
    try:
        content, etag = objects.get(key)
    except NotFoundError:
        return None, None
    return str(json.loads(content)["instance"]), etag
