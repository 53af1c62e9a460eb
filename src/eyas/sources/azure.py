"""Azure: the activity log of subscriptions, and the sign-ins and changes that Entra ID records.

Records come from Event Hubs (https://learn.microsoft.com/azure/azure-monitor/essentials/resource-logs-schema), from the
interface of the activity log and from Microsoft Graph; the fields read all three.
"""

from __future__ import annotations

from eyas.sources.card import Field, Source, Time, concat, first, text

_SIGNIN = "/properties"

FIELDS = (
    Field(
        "azure.category",
        "text",
        ("/category/value", "/category"),
        "Kind of log: Administrative, SignInLogs …",
    ),
    Field(
        "azure.operation",
        "text",
        ("/operationName/value", "/operationName", "/activityDisplayName"),
        "What was done, such as Microsoft.Compute/virtualMachines/write.",
    ),
    Field("azure.level", "text", "/level", "Level of the record."),
    Field(
        "azure.status",
        "text",
        ("/status/value", "/resultType", "/result", "/status/errorCode"),
        "Outcome; 0 is a good sign-in.",
    ),
    Field("azure.substatus", "text", ("/subStatus/value", "/resultSignature"), "Outcome in detail."),
    Field(
        "azure.reason",
        "text",
        ("/resultDescription", "/properties/status/failureReason", "/status/failureReason", "/resultReason"),
        "Reason of the outcome.",
    ),
    Field(
        "azure.caller",
        "text",
        (
            "/caller",
            "/properties/initiatedBy/user/userPrincipalName",
            "/initiatedBy/user/userPrincipalName",
            "/properties/userPrincipalName",
            "/userPrincipalName",
            "/identity/claims/http:~1~1schemas.xmlsoap.org~1ws~12005~105~1identity~1claims~1upn",
            "/identity/claims/appid",
            "/initiatedBy/app/displayName",
            "/identity",
        ),
        "Who did it.",
    ),
    Field(
        "azure.ip",
        "text",
        ("/httpRequest/clientIpAddress", "/callerIpAddress", "/properties/ipAddress", "/ipAddress"),
        "Address it came from.",
    ),
    Field("azure.resource", "text", ("/resourceId", "/targetResources/0/id"), "Resource it was done to."),
    Field("azure.resourcegroup", "text", "/resourceGroupName", "Resource group."),
    Field("azure.subscription", "text", "/subscriptionId", "Subscription."),
    Field("azure.tenant", "text", "/tenantId", "Tenant."),
    Field("azure.correlationid", "text", "/correlationId", "Id that records of one action share."),
    Field("azure.properties", "text", "/properties", "Everything else, as JSON."),
    Field("azure.requestbody", "text", "/properties/requestbody", "Body of the request."),
    Field(
        "azure.signin.app",
        "text",
        (f"{_SIGNIN}/appDisplayName", "/appDisplayName"),
        "Application that was signed in to.",
    ),
    Field(
        "azure.signin.client",
        "text",
        (f"{_SIGNIN}/clientAppUsed", "/clientAppUsed"),
        "Kind of client, such as Browser or IMAP4.",
    ),
    Field(
        "azure.signin.country",
        "text",
        (f"{_SIGNIN}/location/countryOrRegion", "/location/countryOrRegion"),
        "Country.",
    ),
    Field("azure.signin.city", "text", (f"{_SIGNIN}/location/city", "/location/city"), "City."),
    Field(
        "azure.signin.risk",
        "text",
        (f"{_SIGNIN}/riskLevelDuringSignIn", "/riskLevelDuringSignIn"),
        "Risk that Entra saw: none, low, medium, high.",
    ),
    Field(
        "azure.signin.riskevents",
        "text",
        ("/properties/riskEventTypes_v2", "/riskEventTypes_v2"),
        "Kinds of risk, as JSON.",
    ),
    Field(
        "azure.signin.mfa",
        "text",
        (f"{_SIGNIN}/authenticationRequirement", "/authenticationRequirement"),
        "singleFactorAuthentication or multiFactorAuthentication.",
    ),
    Field(
        "azure.signin.conditionalaccess",
        "text",
        (f"{_SIGNIN}/conditionalAccessStatus", "/conditionalAccessStatus"),
        "Whether conditional access held: success, failure, notApplied.",
    ),
    Field(
        "azure.signin.useragent", "text", (f"{_SIGNIN}/userAgent", "/userAgent"), "Program that signed in."
    ),
    Field(
        "azure.target.names",
        "text",
        ("/properties/targetResources/*/displayName", "/targetResources/*/displayName"),
        "Names of what was changed.",
        list=True,
        arg="index",
    ),
    Field(
        "azure.target.users",
        "text",
        ("/properties/targetResources/*/userPrincipalName", "/targetResources/*/userPrincipalName"),
        "Users that were changed.",
        list=True,
        arg="index",
    ),
    Field(
        "azure.target.changes",
        "text",
        (
            "/properties/targetResources/*/modifiedProperties/*/newValue",
            "/targetResources/*/modifiedProperties/*/newValue",
        ),
        "New values of what was changed.",
        list=True,
        arg="index",
    ),
)

SOURCE = Source(
    "azure",
    "Azure activity log and Entra ID",
    FIELDS,
    Time(("/time", "/eventTimestamp", "/createdDateTime", "/activityDateTime")),
    lists=("records", "value"),
    identity="/eyas/id",
    info=concat(
        first("/caller", "/userPrincipalName", text("?")),
        text(" "),
        first("/operationName/value", "/operationName", text("?")),
    ),
    silent=86_400,
)
