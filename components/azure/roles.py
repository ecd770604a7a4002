"""Azure's built-in roles that a control plane hands out, each on as little as it can be."""

from enum import StrEnum
from typing import Any

import pulumi
from pulumi_azure_native import authorization


class Role(StrEnum):
    """By the identity that a role has in every subscription (Microsoft Learn, "Azure built-in roles")."""

    CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
    KEY_VAULT_CONTRIBUTOR = "f25e0fa2-a7c8-4377-a976-54943a77a395"
    KEY_VAULT_CRYPTO_USER = "12338af0-0e69-4776-bea7-57ae8d297424"
    KEY_VAULT_CRYPTO_SERVICE_ENCRYPTION_USER = "e147488a-f6f5-4113-8e2d-b22465e65bf6"
    MANAGED_IDENTITY_OPERATOR = "f1a07417-d97a-45cb-824c-7a7467783830"
    NETWORK_CONTRIBUTOR = "4d97b98b-1d4f-4787-a291-c67834d212e7"
    OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
    READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
    STORAGE_BLOB_DATA_CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"


def assign(
    name: str, role: Role, *, to: pulumi.Input[str], on: pulumi.Input[str], opts: pulumi.ResourceOptions
) -> authorization.RoleAssignment:
    """Let an identity of this stack do something with a resource.

    Args:
        to: principal ID of a managed identity.
        on: ID of the resource.
    """
    return authorization.RoleAssignment(
        name,
        principal_id=to,
        # An identity is new to the directory for a while; told its type, Azure does not look it up.
        principal_type="ServicePrincipal",
        role_definition_id=pulumi.Output.from_input(on).apply(lambda scope: definition(scope, role)),
        scope=on,
        opts=opts,
    )


def principal_of(resource: pulumi.CustomResource, identity: pulumi.Output[Any]) -> pulumi.Output[str]:
    """Principal ID of an identity that Azure makes with a resource.

    It waits for the resource's ID: a preview shows the identity as it was asked for, without one.
    """
    principal = identity.apply(lambda shown: shown.principal_id if shown else None)
    return pulumi.Output.all(resource.id, principal).apply(lambda known: str(known[1]))


def definition(scope: str, role: Role) -> str:
    """The ID of a built-in role in the subscription of a resource."""
    subscription = scope.split("/")[2]
    return f"/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/{role}"
