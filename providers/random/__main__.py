"""Stand-in for the official random provider: identities, bytes and passwords."""

import secrets
import string
import sys
from base64 import b64encode, urlsafe_b64encode
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from providers.interrupts import end_at_once

if __name__ == "__main__":
    end_at_once()

from providers.stand_in import Kind, Properties, StandIn, serve


def make_id(inputs: Properties) -> Properties:
    raw = secrets.token_bytes(int(inputs["byteLength"]))
    url = urlsafe_b64encode(raw).decode().rstrip("=")
    prefix = str(inputs.get("prefix", ""))
    return {
        "id": url,
        "hex": prefix + raw.hex(),
        "dec": prefix + str(int.from_bytes(raw)),
        "b64Std": prefix + b64encode(raw).decode(),
        "b64Url": prefix + url,
    }


def make_bytes(inputs: Properties) -> Properties:
    raw = secrets.token_bytes(int(inputs["length"]))
    # The official provider uses the value itself as the id; an id is never secret, so this one is not the value.
    return {"id": secrets.token_hex(8), "hex": raw.hex(), "base64": b64encode(raw).decode()}


def make_password(inputs: Properties) -> Properties:
    classes = {
        "lower": string.ascii_lowercase,
        "upper": string.ascii_uppercase,
        "numeric": string.digits,
        "special": "!@#$%&*()-_=+[]{}<>:?",
    }
    alphabet = "".join(letters for name, letters in classes.items() if inputs.get(name, True))
    if not alphabet:
        raise ValueError(f"no characters to choose from; set one of {', '.join(classes)} to true")
    return {"id": "none", "result": "".join(secrets.choice(alphabet) for _ in range(int(inputs["length"])))}


KINDS = {
    "random:index/randomId:RandomId": Kind(frozenset({"byteLength", "keepers", "prefix"}), make_id),
    "random:index/randomBytes:RandomBytes": Kind(frozenset({"length", "keepers"}), make_bytes),
    "random:index/randomPassword:RandomPassword": Kind(
        frozenset({"length", "keepers", "lower", "upper", "numeric", "special"}), make_password
    ),
}

if __name__ == "__main__":
    serve(StandIn(version("pulumi-random"), KINDS))
