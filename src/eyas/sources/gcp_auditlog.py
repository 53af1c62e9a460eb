"""Google Cloud audit log: who called which interface on which resource.

https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry names the keys.
"""

from __future__ import annotations

from eyas.sources.card import Field, Source, Time, concat, first, one_of, shortened, text, when

_CALL = "/protoPayload"
_LABELS = "/resource/labels"

FIELDS = (
    Field("gcp.user", "text", f"{_CALL}/authenticationInfo/principalEmail", "Who called."),
    Field("gcp.callerIP", "text", f"{_CALL}/requestMetadata/callerIp", "Address the call came from."),
    Field(
        "gcp.userAgent", "text", f"{_CALL}/requestMetadata/callerSuppliedUserAgent", "Program that called."
    ),
    Field(
        "gcp.authorizationInfo",
        "text",
        f"{_CALL}/authorizationInfo",
        "Permissions that were checked, as JSON.",
    ),
    Field("gcp.serviceName", "text", f"{_CALL}/serviceName", "Service that was called."),
    Field(
        "gcp.policyDelta",
        "text",
        when(
            one_of("/resource/type", "gcs_bucket"),
            f"{_CALL}/serviceData/policyDelta/bindingDeltas",
            f"{_CALL}/metadata/datasetChange/bindingDeltas",
        ),
        "Changes of who may do what, as JSON.",
    ),
    Field("gcp.request", "text", f"{_CALL}/request", "The request as JSON."),
    Field("gcp.methodName", "text", f"{_CALL}/methodName", "Method that was called."),
    Field("gcp.cloudfunctions.function", "text", f"{_LABELS}/function_name", "Name of the function."),
    Field("gcp.cloudsql.databaseId", "text", f"{_LABELS}/database_id", "Id of the database."),
    Field("gcp.compute.instanceId", "text", f"{_LABELS}/instance_id", "Id of the machine."),
    Field("gcp.compute.networkId", "text", f"{_LABELS}/network_id", "Id of the network."),
    Field("gcp.compute.subnetwork", "text", f"{_LABELS}/subnetwork_name", "Name of the subnetwork."),
    Field("gcp.compute.subnetworkId", "text", f"{_LABELS}/subnetwork_id", "Id of the subnetwork."),
    Field("gcp.dns.zone", "text", f"{_LABELS}/zone_name", "Name of the DNS zone."),
    Field("gcp.iam.serviceAccount", "text", f"{_LABELS}/email_id", "E-mail of the service account."),
    Field("gcp.iam.serviceAccountId", "text", f"{_LABELS}/unique_id", "Id of the service account."),
    Field(
        "gcp.location",
        "text",
        first(f"{_LABELS}/location", f"{_LABELS}/region", shortened(f"{_LABELS}/zone", 2)),
        "Region of the resource.",
    ),
    Field(
        "gcp.logging.sink",
        "text",
        when(one_of("/resource/type", "logging_sink"), f"{_LABELS}/name"),
        "Name of the log sink.",
    ),
    Field("gcp.projectId", "text", f"{_LABELS}/project_id", "Project of the resource."),
    Field("gcp.resourceName", "text", f"{_CALL}/resourceName", "Name of the resource."),
    Field("gcp.resourceType", "text", "/resource/type", "Kind of resource."),
    Field("gcp.resourceLabels", "text", _LABELS, "Labels of the resource, as JSON."),
    Field("gcp.storage.bucket", "text", f"{_LABELS}/bucket_name", "Name of the bucket."),
    Field("gcp.time", "text", "/timestamp", "Time of the call as written."),
)

SOURCE = Source(
    "gcp_auditlog",
    "Google Cloud audit log",
    FIELDS,
    Time("/timestamp"),
    lists=("entries",),
    identity="/insertId",
    info=concat(f"{_CALL}/authenticationInfo/principalEmail", text(" "), f"{_CALL}/methodName"),
    plugin="gcpaudit",
    version=(0, 8, 1),
    silent=86_400,
)
