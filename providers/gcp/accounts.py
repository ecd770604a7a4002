"""Keys, service accounts, APIs and who may do what: the requests of KMS, IAM, Service Usage and Resource Manager."""

from typing import Final

from providers.gcp.discovery import Method
from providers.gcp.kind import kind, number
from providers.gcp.request import Form, To
from providers.stand_in import Properties

IN_LOCATION: Final = "projects/{project}/locations/{location}"
SERVICE: Final = "projects/{project}/services/{service}"

BINDING: Final = {"role": To("policy.bindings.0.role"), "member": To("policy.bindings.0.members.0")}
"""A member of a role is one binding of a policy that the provider reads, adds to, and writes."""


def account(identity: str, inputs: Properties) -> Properties:
    email = identity.rsplit("/", 1)[1]
    return {"name": identity, "email": email, "member": f"serviceAccount:{email}", "uniqueId": number(identity)}


def agent(identity: str, inputs: Properties) -> Properties:
    email = f"service-1@gcp-sa-{inputs['service'].split('.')[0]}.iam.gserviceaccount.com"
    return {"email": email, "member": f"serviceAccount:{email}"}


def etag(identity: str, inputs: Properties) -> Properties:
    return {"etag": number(identity)}


KINDS: Final = {
    "gcp:kms/keyRing:KeyRing": kind(
        Form(
            method=Method("cloudkms.v1", "projects.locations.keyRings.create"),
            parameters={"parent": IN_LOCATION, "keyRingId": "{name}"},
        ),
        f"{IN_LOCATION}/keyRings/{{name}}",
        fixed="name project location",
    ),
    "gcp:kms/cryptoKey:CryptoKey": kind(
        Form(
            method=Method("cloudkms.v1", "projects.locations.keyRings.cryptoKeys.create"),
            parameters={"parent": "{keyRing}", "cryptoKeyId": "{name}"},
        ),
        "{keyRing}/cryptoKeys/{name}",
        fixed="name keyRing purpose destroyScheduledDuration",
        labelled=True,
    ),
    "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember": kind(
        Form(
            method=Method("cloudkms.v1", "projects.locations.keyRings.cryptoKeys.setIamPolicy"),
            parameters={"resource": "{cryptoKeyId}"},
            mapping=BINDING,
        ),
        "{cryptoKeyId}/{role}/{member}",
        outputs=etag,
        fixed="cryptoKeyId role member",
        named=None,
    ),
    "gcp:serviceaccount/account:Account": kind(
        Form(
            method=Method("iam.v1", "projects.serviceAccounts.create"),
            parameters={"name": "projects/{project}"},
            mapping={"displayName": To("serviceAccount.displayName"), "description": To("serviceAccount.description")},
        ),
        "projects/{project}/serviceAccounts/{accountId}@{project}.iam.gserviceaccount.com",
        outputs=account,
        fixed="accountId project",
        named=None,
    ),
    "gcp:projects/iAMMember:IAMMember": kind(
        Form(
            method=Method("cloudresourcemanager.v1", "projects.setIamPolicy"),
            parameters={"resource": "{project}"},
            mapping=BINDING,
        ),
        "{project}/{role}/{member}",
        outputs=etag,
        fixed="project role member",
        named=None,
    ),
    "gcp:projects/service:Service": kind(
        Form(
            method=Method("serviceusage.v1", "services.enable"),
            parameters={"name": SERVICE},
            own=frozenset({"disableOnDestroy"}),
        ),
        "{project}/{service}",
        fixed="project service",
        named=None,
    ),
    "gcp:projects/serviceIdentity:ServiceIdentity": kind(
        Form(method=Method("serviceusage.v1beta1", "services.generateServiceIdentity"), parameters={"parent": SERVICE}),
        SERVICE,
        outputs=agent,
        fixed="project service",
        named=None,
    ),
}
