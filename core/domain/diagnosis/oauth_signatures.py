"""What sign-in services say: Entra's numbers, RFC 6749 error names, Google's pages. Pure data.

Entra's wording changes, its numbers do not (Microsoft's own advice): numbers first, then suberror, then words, and the
error name, which says least, last.
"""

from __future__ import annotations

from collections.abc import Mapping

from core.domain.diagnosis.signature import Signature, sig

_NUMBERS: Mapping[str, str] = {
    "redirect_uri_mismatch": "50011 500113",
    "wrong_tenant": "50020 50128 51004 90072 500212 500213",
    "account_not_found": "50034 50177 51001",
    "account_locked": "50053 50147",
    "account_disabled": "50057 50180",
    "mfa_required": "16000 50058 50072 50074 50076 50078 50079 50158 50203 500121",
    "auth_code_expired": "50089",
    "user_not_assigned": "50105 501051",
    "credentials_rejected": "50056 50064 50126",
    "password_changed": "50132 50133",
    "password_expired": "50055 50135 50142 50144",
    "refresh_token_revoked": "50085 50173 70000",
    "refresh_token_expired": "70008 700081 700082",
    "sign_in_frequency": "70043 70044",
    "oauth_rate_limited": "50088 50196 90055",
    "license_missing": "500011 500014 650052",
    "wrong_account_type": "50107 500200 500201 500208 9001023",
    "conditional_access_blocked": (
        "50005 50097 50129 50131 50155 50187 53000 53001 53002 53003 53004 53008 53009 53010 53011 530001 530002 "
        "530003 530004 530021 530031 530032 530033 530034 530035"
    ),
    "auth_code_reused": "54005",
    "consent_missing": "65001",
    "user_denied_consent": "65004",
    "admin_consent_required": "90093 90094 90095",
    "oauth_client_invalid": "70001 700016 700023 700024 700027 700030 7000216 7000229",
    "oauth_client_disabled": "7000111 7000112",
    "oauth_client_secret_invalid": "7000215",
    "oauth_client_secret_expired": "7000222",
    "tenant_not_found": "90002",
    "oauth_config_error": (
        "28002 28003 50001 50059 50194 65002 65005 650053 650054 650056 650057 70003 70004 70005 70007 70011 70018 "
        "70019 700020 700025 700054 700084 7000218 90009 90013 90014 90019 90023 900023 900144 900382 900971 "
        "9002313 9002325 9002326 9002327"
    ),
    "server_unavailable": "50033 50087 80001 80002 80005 80007 80010 81001 90006 90012 90033",
}
ENTRA_NUMBERS: Mapping[int, str] = {
    int(number): cause for cause, numbers in _NUMBERS.items() for number in numbers.split()
}

# MSAL's and Google's finer names inside invalid_grant and interaction_required.
SUBERRORS: Mapping[str, str] = {
    "consent_required": "consent_missing",
    "user_password_expired": "password_expired",
    "bad_token": "refresh_token_revoked",
    "token_expired": "refresh_token_expired",
    "client_mismatch": "oauth_client_invalid",
    "protection_policy_required": "conditional_access_blocked",
    "device_authentication_failed": "conditional_access_blocked",
    "basic_action": "mfa_required",
    "additional_action": "conditional_access_blocked",
    "message_only": "conditional_access_blocked",
    "invalid_rapt": "reauth_required_by_policy",
    "rapt_required": "reauth_required_by_policy",
}

_MAIL_SCOPE = r"mail\.google\.com|imap\.accessasuser|smtp\.send"

BY_WORDS: tuple[Signature, ...] = (
    sig(
        "oauth_config_error",
        "tenant-identifying|missingtenantrealm|publicclientwithcredential|scopes? .{0,40}(?:is|are) invalid",
    ),
    sig("wrong_tenant", "passthroughusermfa|userunauthorized"),
    sig(
        "oauth_rate_limited",
        r"too many requests|\b429\b|rate ?limit|slow_down|polling_too|client loop|loopdetected|throttl",
    ),
    sig("proxy_auth_required", r"proxy auth|\b407\b"),
    sig("reauth_required_by_policy", r"invalid_rapt|rapt_required|reauth related|reauth\w* (?:is )?required"),
    sig(
        "redirect_uri_mismatch",
        (
            "redirect_uri_mismatch|invalidreplyto|"
            "(?:redirect|reply)[ _](?:uri|url|address).{0,80}(?:mismatch|not match|n't match|misconfigured|"
            "not (?:registered|valid)|invalid|does not)"
        ),
    ),
    sig("oauth_client_deleted", "deleted_client|client was deleted|application.{0,30}(?:was|has been) deleted"),
    sig(
        "oauth_client_disabled",
        ("disabled_client|clientapplicationdisabled|(?:client|application|app) .{0,60}(?:is|was|has been) disabled"),
    ),
    sig("oauth_client_secret_expired", r"secret(?: keys?)?\b.{0,80}expired|expired .{0,30}secret"),
    sig(
        "oauth_client_secret_invalid",
        ("(?:invalid|wrong|incorrect|bad) client.?secret|client.?secret.{0,40}(?:invalid|wrong|incorrect|not match)"),
    ),
    sig("oauth_client_secret_invalid", "invalid_client", "unauthorized", unless="unauthorized_client"),
    sig(
        "oauth_client_invalid",
        (
            "unauthorized_?client|invalid_client|oauth client was not found|"
            "application .{0,90}(?:was ?n[o']t|not) found in the"
        ),
    ),
    sig("embedded_browser_blocked", "disallowed_useragent|embedded (?:browser|web ?view|user.?agent)"),
    sig(
        "admin_consent_required",
        (
            "admin_policy_enforced|adminconsentrequired|ask the admin|admin needs to (?:review|approve)|"
            "admin(?:istrator)?'?s? (?:consent|approval) (?:is )?(?:required|needed)|"
            "needs? admin(?:istrator)? (?:approval|consent)|need admin approval"
        ),
    ),
    sig(
        "wrong_account_type",
        "org_internal|not a valid login domain|only available to users within|personal (?:microsoft )?account",
    ),
    sig(
        "user_denied_consent",
        (
            "access_denied|declined to consent|userdeclinedconsent|user (?:has )?(?:denied|declined|cancel)|"
            "consent_declined"
        ),
    ),
    sig("consent_missing", "consent_required|delegationdoesnotexist|has ?n[o']t consented|not consented|no consent"),
    sig("mfa_required", r"multi-?factor|strong ?auth|second factor|two-step|\bmfa\b|external ?security ?challenge"),
    sig("sign_in_frequency", "sign-?in ?frequency"),
    sig(
        "conditional_access_blocked",
        (
            "conditional ?access|security ?defaults|security policy|compliant device|device ?not ?compliant|"
            "not compliant"
        ),
    ),
    sig(
        "auth_code_reused",
        "already (?:been )?(?:redeemed|used)|code (?:was|has been) (?:redeemed|used)|malformed auth code",
    ),
    sig(
        "auth_code_expired",
        "(?:authorization|auth) code.{0,40}expired|flow token.{0,20}expired|expired_token|code has expired",
    ),
    sig(
        "account_disabled",
        "account (?:has been |is |was )?(?:deleted|disabled|suspended)|userdisabled|user account is disabled",
    ),
    sig("account_locked", "account is locked|idslocked|account locked"),
    sig(
        "password_changed",
        "recent password change|ssoartifact|password (?:has been |was )?(?:changed|reset)",
        unless="might have|may have|required",
    ),
    sig(
        "password_expired",
        (
            "password (?:has |is )?expired|password change is required|passwordchangecompromised|"
            "expiredonprempassword|passwordexpired"
        ),
    ),
    sig(
        "refresh_token_expired",
        (
            "refresh token has expired|expiredorrevokedgrant|expired due to inactivity|was inactive for|"
            "token.{0,30}inactiv"
        ),
    ),
    sig("refresh_token_revoked", "(?:token|grant|access).{0,60}(?:revoked|withdrawn|removed)|expired or revoked"),
    sig("user_not_assigned", "(?:is ?n[o']t|not) assigned to a role|entitlementgrants"),
    sig("wrong_tenant", "does not exist in (?:the )?tenant|doesn't exist (?:in|on) the tenant|external account"),
    sig(
        "account_not_found",
        (
            "useraccountnotfound|must be added to the directory|account (?:does not|doesn't) exist|"
            "user (?:was )?not found"
        ),
    ),
    sig("tenant_not_found", "invalidtenantname|tenant.{0,60}(?:not found|wasn't found|does not exist)"),
    sig("license_missing", "has ?n[o']t subscribed|resource principal named|serviceprincipalnotfound|licen[cs]e"),
    sig(
        "oauth_scope_missing",
        "insufficient(?:_| authentication | )?scopes?|scope_insufficient|scopes? (?:was|were) not granted",
    ),
    sig("oauth_token_rejected", "schemes", "status"),
    sig("oauth_scope_missing", r"\bscopes?\b\W{1,4}\w", unless=rf"{_MAIL_SCOPE}|error|invalid_scope|failed"),
    sig("credentials_rejected", "invalidusernameorpassword|invalid user ?name or password"),
    sig(
        "server_unavailable",
        (
            r"\b50[0234]\b|internal_failure|temporarily_unavailable|server_error|"
            "service (?:is )?(?:temporarily )?unavailable|temporar|bad gateway|gateway time|backend error|"
            "backenderror|retryable ?error|transient error|onpremisestore|timed? ?out|try again later|"
            "internal server error|unable to connect to active directory"
        ),
    ),
)

BY_NAME: tuple[Signature, ...] = (
    sig(
        "oauth_config_error",
        (
            "invalid_scope|invalid_?request|unsupported_grant_type|unsupported_response_type|invalid_resource|"
            "invalid_target|tenant-identifying|invalid ?scope|multitenant|multi-tenant|single.?page app|"
            "client_assertion|public client|must contain the following parameter|malformed or invalid"
        ),
    ),
    sig("oauth_token_rejected", "invalid_token"),
    sig("mfa_required", "interaction_required|login_required"),
    sig("refresh_token_revoked", "invalid_grant"),
)
