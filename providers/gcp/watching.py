"""Alarms and who hears them: the requests of Cloud Monitoring and Pub/Sub."""

from typing import Final

from providers.gcp.accounts import BINDING, etag
from providers.gcp.discovery import Method
from providers.gcp.kind import kind
from providers.gcp.request import Form, To
from providers.stand_in import Properties

TOPIC: Final = "projects/{project}/topics/{name}"


def own_name(identity: str, inputs: Properties) -> Properties:
    return {"name": identity}


KINDS: Final = {
    "gcp:monitoring/alertPolicy:AlertPolicy": kind(
        Form(
            method=Method("monitoring.v3", "projects.alertPolicies.create"), parameters={"name": "projects/{project}"}
        ),
        "projects/{project}/alertPolicies/{number}",
        outputs=own_name,
        fixed="project",
        named=None,
    ),
    "gcp:monitoring/notificationChannel:NotificationChannel": kind(
        Form(
            method=Method("monitoring.v3", "projects.notificationChannels.create"),
            parameters={"name": "projects/{project}"},
        ),
        "projects/{project}/notificationChannels/{number}",
        outputs=own_name,
        fixed="project type",
        named=None,
    ),
    "gcp:pubsub/topic:Topic": kind(
        # The topic's name is in the address and in the body.
        Form(
            method=Method("pubsub.v1", "projects.topics.create"),
            parameters={"name": TOPIC},
            mapping={"name": To("name")},
        ),
        TOPIC,
        fixed="name project",
        labelled=True,
    ),
    "gcp:pubsub/topicIAMMember:TopicIAMMember": kind(
        Form(
            method=Method("pubsub.v1", "projects.topics.setIamPolicy"),
            parameters={"resource": "projects/{project}/topics/{topic}"},
            mapping=BINDING,
        ),
        "projects/{project}/topics/{topic}/{role}/{member}",
        outputs=etag,
        fixed="project topic role member",
        named=None,
        needs="projects/{project}/topics/{topic}",
    ),
}
