"""AWS CloudTrail: who called which AWS interface, from where, and whether it was allowed.

Files of a trail hold `{"Records": […]}`; https://docs.aws.amazon.com/awscloudtrail/latest/userguide/ names the keys.
"""

from __future__ import annotations

from eyas.sources.card import (
    Derived,
    Field,
    Source,
    Time,
    argument,
    both,
    concat,
    first,
    has,
    join,
    negated,
    one_of,
    part,
    same,
    text,
    total,
    when,
    without_suffix,
)

_KIND = "/userIdentity/type"
_USER = "/userIdentity/userName"
_ISSUER = "/userIdentity/sessionContext/sessionIssuer/userName"


def _by_kind() -> Derived:
    other = when(one_of(_KIND, "AWSAccount", "FederatedUser"), _KIND)
    assumed = when(one_of(_KIND, "AssumedRole"), first(_ISSUER, text("AssumedRole")), other)
    service = when(one_of(_KIND, "AWSService"), "/userIdentity/invokedBy", assumed)
    return when(one_of(_KIND, "Root", "IAMUser"), _USER, service)


def _session() -> Derived:
    name = first(part("/userIdentity/arn", "/", 2, of=3), part("/userIdentity/principalId", ":", 1))
    return when(one_of(_KIND, "AssumedRole"), name, _USER)


def _summary() -> Derived:
    user, source = first(_by_kind(), text("")), "/sourceIPAddress"
    via = when(both(has(source), negated(same(source, user))), concat(text(" via "), source), text(""))
    failed = when(has("/errorCode"), text(" !"), text(""))
    way = when(one_of("/readOnly", "true"), text(" ← "), text(" → "))
    about = first(
        concat(text(" Size="), _BYTES),
        concat(text(" URI="), _URI),
        concat(text(" Bucket="), "/requestParameters/bucketName"),
        concat(text(" Key="), "/requestParameters/key"),
        concat(text(" Host="), "/requestParameters/Host"),
        text(""),
    )
    return concat(user, via, failed, way, "/eventName", about)


_IN, _OUT = "/additionalEventData/bytesTransferredIn", "/additionalEventData/bytesTransferredOut"
_BYTES = total(_IN, _OUT)
_URI = concat(text("s3://"), "/requestParameters/bucketName", text("/"), "/requestParameters/key")
_STARTED = "/responseElements/instancesSet/items/*/imageId"
_WANTED = first(
    "/requestParameters/imageId",
    "/requestParameters/DescribeFastLaunchImagesRequest/ImageId/content",
    "/requestParameters/launchSpecification/imageId",
)
_IMAGES = first(_STARTED, _WANTED)
_NAME_TAG = "/requestParameters/tagSpecificationSet/items/*[resourceType=instance]/tags/*[key=Name]/value"

FIELDS = (
    Field("ct.id", "text", "/eventID", "Unique id of the event."),
    Field("ct.error", "text", "/errorCode", "Error code; absent when the call succeeded."),
    Field("ct.errormessage", "text", "/errorMessage", "Description of the error."),
    Field("ct.time", "text", "/eventTime", "Time of the call as written."),
    Field("ct.src", "text", "/eventSource", "Service that was called, such as s3.amazonaws.com."),
    Field("ct.shortsrc", "text", without_suffix("/eventSource", ".amazonaws.com"), "Service, short: s3."),
    Field("ct.name", "text", "/eventName", "Name of the call."),
    Field("ct.user", "text", _by_kind(), "Who called: a user, or the role or service that acted."),
    Field("ct.originaluser", "text", _session(), "Who stands behind an assumed role: its session name."),
    Field(
        "ct.user.accountid",
        "text",
        ("/userIdentity/accountId", "/recipientAccountId"),
        "Account of the caller, else the account that got the event.",
    ),
    Field("ct.user.identitytype", "text", _KIND, "Kind of identity: Root, IAMUser, AssumedRole …"),
    Field("ct.user.principalid", "text", "/userIdentity/principalId", "Unique id of the caller."),
    Field("ct.user.arn", "text", "/userIdentity/arn", "ARN of the caller."),
    Field("ct.region", "text", "/awsRegion", "Region of the call."),
    Field("ct.response.subnetid", "text", "/responseElements/subnetId", "Subnet in the response."),
    Field(
        "ct.response.reservationid", "text", "/responseElements/reservationId", "Reservation in the response."
    ),
    Field("ct.response", "text", "/responseElements", "The response as JSON."),
    Field(
        "ct.request.availabilityzone",
        "text",
        "/requestParameters/availabilityZone",
        "Availability zone asked for.",
    ),
    Field("ct.request.cluster", "text", "/requestParameters/cluster", "Cluster asked for."),
    Field("ct.request.functionname", "text", "/requestParameters/functionName", "Function asked for."),
    Field("ct.request.groupname", "text", "/requestParameters/groupName", "Group asked for."),
    Field("ct.request.host", "text", "/requestParameters/Host", "Host asked for."),
    Field("ct.request.name", "text", "/requestParameters/name", "Name asked for."),
    Field("ct.request.policy", "text", "/requestParameters/policy", "Policy asked for."),
    Field("ct.request.reason", "text", "/requestParameters/reason", "Reason given."),
    Field("ct.request.target", "text", "/requestParameters/target", "Target asked for."),
    Field("ct.request.documentname", "text", "/requestParameters/documentName", "Document asked for."),
    Field("ct.request.serialnumber", "text", "/requestParameters/serialNumber", "Serial number asked for."),
    Field("ct.request.servicename", "text", "/requestParameters/serviceName", "Service asked for."),
    Field("ct.request.subnetid", "text", "/requestParameters/subnetId", "Subnet asked for."),
    Field(
        "ct.request.taskdefinition", "text", "/requestParameters/taskDefinition", "Task definition asked for."
    ),
    Field("ct.request.username", "text", "/requestParameters/userName", "User asked for."),
    Field("ct.request", "text", "/requestParameters", "The request as JSON."),
    Field("ct.srcip", "text", "/sourceIPAddress", "Address, or AWS service, the call came from."),
    Field("ct.useragent", "text", "/userAgent", "Program that called."),
    Field("ct.info", "text", _summary(), "The event in one line."),
    Field("ct.managementevent", "text", "/managementEvent", "Whether it is a management event: true, false."),
    Field("ct.readonly", "text", "/readOnly", "Whether the call only reads: true, false."),
    Field("ct.requestid", "text", "/requestID", "Id of the request."),
    Field("ct.eventtype", "text", "/eventType", "Kind of event: AwsApiCall, AwsConsoleSignIn …"),
    Field("ct.apiversion", "text", "/apiVersion", "Version of the interface."),
    Field("ct.resources", "text", join(",", "/resources/*"), "Resources touched, as JSON."),
    Field("ct.recipientaccountid", "text", "/recipientAccountId", "Account that got the event."),
    Field("ct.serviceeventdetails", "text", "/serviceEventDetails", "What a service says about its event."),
    Field("ct.sharedeventid", "text", "/sharedEventID", "Id shared by copies for several accounts."),
    Field("ct.vpcendpointid", "text", "/vpcEndpointId", "VPC endpoint of the call."),
    Field("ct.eventcategory", "text", "/eventCategory", "Management, Data, Insight …"),
    Field("ct.addendum.reason", "text", "/addendum/reason", "Why the event was sent again or late."),
    Field("ct.addendum.updatedfields", "text", "/addendum/updatedFields", "What the addendum changed."),
    Field(
        "ct.addendum.originalrequestid",
        "text",
        "/addendum/originalRequestID",
        "Request id before the addendum.",
    ),
    Field(
        "ct.addendum.originaleventid", "text", "/addendum/originalEventID", "Event id before the addendum."
    ),
    Field(
        "ct.sessioncredentialfromconsole",
        "text",
        "/sessionCredentialFromConsole",
        "Whether the session began in the console.",
    ),
    Field("ct.edgedevicedetails", "text", "/edgeDeviceDetails", "Edge device of the request."),
    Field("ct.tlsdetails.tlsversion", "text", "/tlsDetails/tlsVersion", "TLS version."),
    Field("ct.tlsdetails.ciphersuite", "text", "/tlsDetails/cipherSuite", "TLS cipher suite."),
    Field(
        "ct.tlsdetails.clientprovidedhostheader",
        "text",
        "/tlsDetails/clientProvidedHostHeader",
        "Host name that the client asked for.",
    ),
    Field("ct.additionaleventdata", "text", "/additionalEventData", "Further data as JSON."),
    Field("s3.uri", "text", _URI, "Object as s3://bucket/key."),
    Field("s3.bucket", "text", "/requestParameters/bucketName", "Bucket."),
    Field("s3.key", "text", "/requestParameters/key", "Key of the object."),
    Field("s3.bytes", "uint", _BYTES, "Bytes moved, both ways."),
    Field("s3.bytes.in", "uint", total(_IN), "Bytes written."),
    Field("s3.bytes.out", "uint", total(_OUT), "Bytes read."),
    Field("s3.cnt.get", "uint", when(one_of("/eventName", "GetObject"), text("1")), "1 for a read object."),
    Field(
        "s3.cnt.put", "uint", when(one_of("/eventName", "PutObject"), text("1")), "1 for a written object."
    ),
    Field(
        "s3.cnt.other",
        "uint",
        when(both(has("/eventName"), negated(one_of("/eventName", "GetObject", "PutObject"))), text("1")),
        "1 for any other call.",
    ),
    Field("ec2.name", "text", first(_NAME_TAG), "Name that an instance is given by a tag."),
    Field(
        "ec2.imageid",
        "text",
        first(_IMAGES),
        "Image of the first instance; use ec2.imageids.",
        deprecated=True,
    ),
    Field(
        "ec2.imageids",
        "text",
        _IMAGES,
        "Images of the instances.",
        list=True,
        arg="index",
        indexed=first(_STARTED, when(same(argument(), text("0")), _WANTED)),
    ),
    Field("ecr.repository", "text", "/requestParameters/repositoryName", "Repository of container images."),
    Field("ecr.imagetag", "text", "/requestParameters/imageTag", "Tag of a container image."),
    Field("iam.role", "text", "/requestParameters/roleName", "Role asked for."),
    Field("iam.policy", "text", "/requestParameters/policyName", "Policy asked for."),
)

SOURCE = Source(
    "aws_cloudtrail",
    "AWS CloudTrail",
    FIELDS,
    Time("/eventTime"),
    lists=("Records",),
    keep=both(has("/eventType"), negated(one_of("/eventType", "AwsCloudTrailInsight"))),
    skips="an insight, or without eventType",
    identity="/eventID",
    info=_summary(),
    plugin="cloudtrail",
    version=(0, 17, 1),
    silent=3600,
)
