"""Alarms, dashboards, topics and log groups, by the requests of CloudWatch, SNS and CloudWatch Logs."""

import json
from typing import Any, Final

from providers.aws.connection import Aws
from providers.aws.kind import Kind, Made, Properties, Request, names, pick, tag_list

ALARM: Final = (
    "alarmDescription alarmActions comparisonOperator evaluationPeriods metricName namespace period statistic threshold"
    " treatMissingData"
)
LONGEST_SECONDS: Final = 24 * 3600


def put_alarm(aws: Aws, request: Request) -> Made:
    given = request.inputs
    if given["period"] * given["evaluationPeriods"] > LONGEST_SECONDS:
        raise ValueError("period x evaluationPeriods: an alarm looks back one day at most")
    dimensions = [{"Name": name, "Value": value} for name, value in given["dimensions"].items()]
    aws(
        "cloudwatch",
        "put_metric_alarm",
        AlarmName=given["name"],
        OKActions=given.get("okActions"),
        Dimensions=dimensions,
        **pick(given, ALARM),
        Tags=tag_list(request.tags),
    )
    (made,) = find_alarm(aws, given["name"], {})
    return Made(given["name"], {"arn": made["AlarmArn"]})


def change_alarm(aws: Aws, identity: str, before: Properties, request: Request) -> Properties:
    put_alarm(aws, request)
    return {}


def find_alarm(aws: Aws, identity: str, state: Properties) -> Any:
    return aws("cloudwatch", "describe_alarms", AlarmNames=[identity])["MetricAlarms"]


def put_dashboard(aws: Aws, request: Request) -> Made:
    given = request.inputs
    json.loads(given["dashboardBody"])
    aws("cloudwatch", "put_dashboard", **pick(given, "dashboardName dashboardBody"))
    return Made(given["dashboardName"])


def change_dashboard(aws: Aws, identity: str, before: Properties, request: Request) -> Properties:
    put_dashboard(aws, request)
    return {}


def make_topic(aws: Aws, request: Request) -> Made:
    given = request.inputs
    made = aws(
        "sns",
        "create_topic",
        Name=given["name"],
        Attributes={"KmsMasterKeyId": given["kmsMasterKeyId"]},
        Tags=tag_list(request.tags),
    )
    return Made(made["TopicArn"], {"arn": made["TopicArn"]})


def make_log_group(aws: Aws, request: Request) -> Made:
    given = request.inputs
    aws("logs", "create_log_group", logGroupName=given["name"], kmsKeyId=given["kmsKeyId"], tags=dict(request.tags))
    aws("logs", "put_retention_policy", logGroupName=given["name"], retentionInDays=given["retentionInDays"])
    (made,) = find_log_group(aws, given["name"], {})
    return Made(given["name"], {"arn": made["arn"].removesuffix(":*")})


def find_log_group(aws: Aws, identity: str, state: Properties) -> Any:
    return aws("logs", "describe_log_groups", logGroupNamePrefix=identity)["logGroups"]


KINDS: Final = {
    "aws:cloudwatch/metricAlarm:MetricAlarm": Kind(
        inputs=names(f"{ALARM} name okActions dimensions tags"),
        named="name",
        replaces=names("name tags"),
        create=put_alarm,
        update=change_alarm,
        find=find_alarm,
        delete=lambda aws, identity, state: aws("cloudwatch", "delete_alarms", AlarmNames=[identity]),
    ),
    "aws:cloudwatch/dashboard:Dashboard": Kind(
        inputs=names("dashboardName dashboardBody"),
        replaces=names("dashboardName"),
        create=put_dashboard,
        update=change_dashboard,
        find=lambda aws, identity, state: aws("cloudwatch", "get_dashboard", DashboardName=identity),
        delete=lambda aws, identity, state: aws("cloudwatch", "delete_dashboards", DashboardNames=[identity]),
    ),
    "aws:sns/topic:Topic": Kind(
        inputs=names("name kmsMasterKeyId tags"),
        named="name",
        create=make_topic,
        find=lambda aws, identity, state: aws("sns", "get_topic_attributes", TopicArn=identity),
        delete=lambda aws, identity, state: aws("sns", "delete_topic", TopicArn=identity),
    ),
    "aws:cloudwatch/logGroup:LogGroup": Kind(
        inputs=names("name kmsKeyId retentionInDays tags skipDestroy"),
        named="name",
        create=make_log_group,
        find=find_log_group,
        delete=lambda aws, identity, state: aws("logs", "delete_log_group", logGroupName=identity),
    ),
}
