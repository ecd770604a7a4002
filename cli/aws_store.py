"""A stack's object store on AWS, as whoever owns the account reaches it: with the credentials of the environment."""

import json
from base64 import b64decode
from typing import Any

import boto3
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from components.node.agent.clouds.aws_errors import translated
from components.node.agent.clouds.aws_objects import Objects


class AwsStore(Objects):
    """`object_store.Store` by S3 and KMS."""

    def __init__(self, bucket: str, region: str | None) -> None:
        client = boto3.client("s3", region_name=region)
        super().__init__(bucket, lambda: client, lambda: client)
        self._kms: Any = boto3.client("kms", region_name=region)

    def unwrap(self, wrapped: bytes) -> bytes:
        """What the agent's `Aws.wrap` made: the content under a key of its own, and that key under the cluster's."""
        envelope = {name: b64decode(value) for name, value in json.loads(wrapped).items()}
        with translated("unwrap"):
            key = self._kms.decrypt(CiphertextBlob=envelope["key"])["Plaintext"]
        return AESGCM(key).decrypt(envelope["nonce"], envelope["content"], None)
