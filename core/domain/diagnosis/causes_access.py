"""Causes around signing in: credentials, consent, policies, switches, our own registration. Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from core.domain.diagnosis.model import Cause, CauseClass, Who

_LESS_SECURE = (
    "Older guides say to allow “less secure apps” in the Google admin console. Google has removed that switch; "
    "today's way is Google sign-in or an app password."
)
_CAPTCHA = (
    "Older guides say to open accounts.google.com/DisplayUnlockCaptcha. That page no longer helps; today's way is to "
    "press Reconnect and sign in with Google again, or to use an app password."
)


_user = partial(Cause, CauseClass.USER_RECONNECTS)
_app = partial(Cause, CauseClass.OUR_APP)


def _admin(title: str, fix: str, forward: str) -> Cause:
    return Cause(CauseClass.TENANT_ADMIN, title, fix, forward=forward)


_USER: dict[str, Cause] = {
    "credentials_rejected": _user(
        "Password was changed or is wrong",
        "The mail server refused the user name or password, usually because the password was changed or mistyped. "
        "Press Reconnect and enter the full e-mail address and today's password.",
        fix_by_provider={
            "google": "Google refused the sign-in: the password or access was changed, or Google stopped a sign-in "
            "that looked automatic. Press Reconnect and sign in with Google, or enter a newly made app password.",
            "microsoft": "Microsoft refused the sign-in: the password or permissions changed, the mailbox name is "
            "another, or IMAP is off for this mailbox. Press Reconnect and sign in with Microsoft; if that fails too, "
            "ask the admin to allow IMAP for the mailbox.",
            "yahoo": "Yahoo refused the sign-in, because it takes only app passwords here. Make one under Yahoo "
            "account security, then press Reconnect and enter it.",
            "aol": "AOL refused the sign-in, because it takes only app passwords here. Make one under AOL account "
            "security, then press Reconnect and enter it.",
            "zoho": "Zoho refused the sign-in: with two-step sign-in it wants an app password, and each region has its "
            "own server. Make an app password, press Reconnect, and check that the server ends like your Zoho address.",
        },
        obsolete_by_provider={"google": _CAPTCHA},
    ),
    "oauth_token_rejected": _user(
        "Sign-in permission not accepted",
        "The provider did not accept the stored sign-in, which has run out or lacks the mail permission. A fresh one "
        "is fetched once; if this stays, press Reconnect and leave the box for mail access ticked.",
        transient=True,
    ),
    "refresh_token_revoked": _user(
        "Access was withdrawn",
        "The provider has cancelled Rethread's access, because the password was changed, sessions were signed out or "
        "access was removed. Press Reconnect and sign in again.",
        fix_by_provider={
            "google": "Google has cancelled Rethread's access: it was removed in the account, the password changed, it "
            "lay unused for six months, or the app is still in testing (seven days). Press Reconnect and sign in again."
        },
    ),
    "refresh_token_expired": _user(
        "Access ran out unused",
        "The stored sign-in lay unused for too long (90 days at Microsoft) and the provider let it lapse. Press "
        "Reconnect and sign in once more; regular use keeps it alive.",
    ),
    "password_changed": _user(
        "Password was changed",
        "The account's password was changed or ran out since the last sign-in, and that ended it. Press Reconnect and "
        "sign in with the new password.",
    ),
    "password_expired": _user(
        "Password has expired",
        "The mail account's password has run out and the provider wants a new one. Set it in webmail or with your "
        "administrator, then press Reconnect and use the new one.",
    ),
    "mfa_required": _user(
        "Two-step sign-in needed",
        "The provider asks for the second sign-in step, because a policy, place or time limit demands it. Press "
        "Reconnect and finish two-step sign-in, setting it up first if you are asked to.",
    ),
    "web_login_required": _user(
        "Provider wants a sign-in in the browser",
        "The provider found the sign-in unusual and holds it until you confirm. Sign in to the mailbox once in your "
        "browser, accept the security question, then press Resync; if it comes back, press Reconnect.",
        obsolete=_LESS_SECURE,
    ),
    "app_password_required": _user(
        "An app password is needed",
        "Your normal password is not accepted for mail programs, because two-step sign-in is on. Make an app password "
        "in the account's security settings, then press Reconnect and enter it.",
        fix_by_provider={
            "google": "Google does not take your normal password here, because two-step sign-in is on. Press Reconnect "
            "and choose Google sign-in, or enter an app password made in your Google account.",
            "icloud": "Apple takes only app-specific passwords for mail. Make one at account.apple.com, then press "
            "Reconnect and enter it with the full iCloud address as user name.",
        },
        obsolete_by_provider={"google": _LESS_SECURE},
    ),
    "basic_auth_disabled": _user(
        "Passwords are no longer accepted",
        "This provider has switched off signing in with a password for this mailbox. Press Reconnect and choose the "
        "provider's own sign-in page instead.",
        fix_by_provider={
            "microsoft": "Microsoft no longer takes passwords or app passwords for this mailbox. Press Reconnect and "
            "choose Microsoft sign-in."
        },
        obsolete="Older guides choose “Exchange” or “IMAP with password” for Microsoft mailboxes. Microsoft has "
        "switched that off; today's way is Microsoft sign-in.",
    ),
    "consent_missing": _user(
        "Permission not yet given",
        "Nobody has allowed Rethread to read and send this mailbox's mail yet, or the permission was taken back. Press "
        "Reconnect and accept; if the page refuses, send your administrator the request it shows.",
    ),
    "user_denied_consent": _user(
        "Permission was declined",
        "The sign-in page was closed or answered with no, so Rethread may not use the mailbox. Press Reconnect and "
        "accept; if Google blocks the page, the operator must add you as a test user or publish the app.",
    ),
    "oauth_scope_missing": _user(
        "Mail access box left unticked",
        "You signed in but the permission for mail was not ticked, so the mailbox cannot be opened. Press Reconnect "
        "and tick mail access.",
    ),
    "sign_in_frequency": _user(
        "Your organisation wants regular sign-ins",
        "A rule of your organisation ends sign-ins after a set time. Press Reconnect; ask the administrator to exempt "
        "Rethread from the sign-in frequency rule, or this returns.",
        forward="Conditional Access sign-in frequency ends Rethread's access to this mailbox again and again. Please "
        "exempt the app from that rule.",
    ),
    "reauth_required_by_policy": _user(
        "Your organisation limits app sessions",
        "The Google Workspace session rule has ended the sign-in. Press Reconnect; ask the administrator to mark "
        "Rethread as trusted, or this returns.",
        forward="The Google Workspace session length rule ends Rethread's access. Please mark the app as trusted or "
        "exempt it from reauthentication.",
    ),
    "wrong_tenant": _user(
        "Signed in with another organisation's account",
        "The account chosen on the sign-in page belongs to another organisation. Sign out there, press Reconnect and "
        "pick the account that owns this mailbox.",
    ),
    "wrong_account_type": _user(
        "Wrong kind of account",
        "A personal account was used where a work account is expected, or the other way round. Press Reconnect and "
        "choose the account that owns the mailbox.",
    ),
    "account_not_found": _user(
        "Account does not exist",
        "The provider knows no account of this name. Check the address for typing errors and press Reconnect; if it "
        "was deleted, the administrator has to restore it.",
    ),
    "auth_code_expired": _user(
        "Sign-in took too long",
        "The sign-in page was left open until its link ran out. Press Reconnect and sign in without a long pause.",
    ),
    "auth_code_reused": _user(
        "Sign-in link was used twice",
        "The sign-in link works only once and was opened a second time. Press Reconnect and start anew.",
    ),
    "embedded_browser_blocked": _user(
        "Sign-in page refuses this browser",
        "Google does not show its sign-in page inside other apps. Press Reconnect and open the link in a normal "
        "browser.",
    ),
}

_SWITCH: dict[str, Cause] = {
    "imap_disabled": Cause(
        CauseClass.MAILBOX_SWITCH,
        "IMAP is switched off",
        "Mail programs may not open this mailbox, because IMAP is off in its settings. Turn on IMAP access in the "
        "mailbox's own settings, then press Resync.",
        fix_by_provider={
            "google": "IMAP is off for this Gmail mailbox. In Gmail open Settings, “Forwarding and POP/IMAP”, turn "
            "IMAP on, then press Resync.",
            "microsoft": "IMAP is off for this Microsoft mailbox. In an organisation only the mail administrator can "
            "turn it on: send the text below, then press Resync. At Outlook.com turn it on yourself, in Settings, "
            "Mail, “Forwarding and IMAP”.",
            "zoho": "IMAP is off for this Zoho mailbox. Turn on IMAP access in Zoho Mail's settings (or ask the "
            "organisation's admin to allow it), then press Resync.",
        },
        who_by_provider={"microsoft": Who.MAIL_ADMIN},
    ),
    "credentials_or_imap_disabled": Cause(
        CauseClass.MAILBOX_SWITCH,
        "Wrong password, or IMAP is off",
        "The provider does not say which: the password is wrong, or mail programs are switched off. Allow IMAP in the "
        "mailbox's settings, make an app password, then press Reconnect.",
    ),
}

_ADMIN: dict[str, Cause] = {
    "imap_disabled_by_admin": _admin(
        "Administrator has switched IMAP off",
        "Your organisation does not let mail programs open mailboxes by IMAP. Send the text below to your mail "
        "administrator, and press Resync once it is allowed.",
        "Please allow IMAP access for this user; our outreach tool reads the mailbox with it. In Google Workspace: "
        "Apps, Google Workspace, Gmail, End User Access. In Microsoft 365: user, Mail, Manage email apps.",
    ),
    "mailbox_service_missing": _admin(
        "Mail service is off for this account",
        "The account exists but its mail service is switched off. Ask the administrator to turn mail on for it, then "
        "press Resync.",
        "The mail service (Gmail or the mailbox licence) is off for this user. Please turn it on.",
    ),
    "smtp_auth_disabled": _admin(
        "Sending by SMTP is switched off",
        "The mailbox may be read but not send, because authenticated SMTP is off for it. Send the text below to your "
        "administrator, then press Resync.",
        "Please turn on Authenticated SMTP for this mailbox (Microsoft 365 admin centre: user, Mail, Manage email "
        "apps); security defaults must not forbid it.",
    ),
    "conditional_access_blocked": _admin(
        "Blocked by an access policy",
        "A security policy of your organisation does not let Rethread in. Send the text below to your administrator, "
        "and press Reconnect once it is allowed.",
        "A Conditional Access policy or the security defaults block Rethread's sign-in. Please allow the app, or our "
        "server's address, in that policy.",
    ),
    "admin_consent_required": _admin(
        "Administrator must approve Rethread",
        "Only an administrator may allow this app in your organisation. Send them the request, and press Reconnect "
        "once it is approved.",
        "Please approve the Rethread app and its mail permissions for our organisation (Entra: Enterprise "
        "applications; Google: Security, API controls).",
    ),
    "license_missing": _admin(
        "No mailbox licence",
        "The account has no mail subscription that would let it be opened. Ask the administrator to assign one, then "
        "press Resync.",
        "This user or organisation has no working Exchange Online (mail) licence. Please assign or renew it.",
    ),
    "account_disabled": _admin(
        "Account is disabled",
        "The mail account was disabled, suspended or deleted. Ask the administrator to restore it, then press "
        "Resync; if the person has left, disconnect the mailbox.",
        "This user account is disabled or deleted. Please restore it, or tell us to remove the mailbox.",
    ),
    "account_locked": _admin(
        "Account is locked",
        "Too many failed or risky sign-ins have locked the account. Wait for the lock to end or ask the administrator "
        "to unlock it, then press Reconnect.",
        "This account is locked after failed or risky sign-ins. Please unlock it and check the sign-in log.",
    ),
    "user_not_assigned": _admin(
        "You are not assigned to the app",
        "Your organisation lets only chosen people use Rethread, and you are not among them. Ask the administrator to "
        "add you, then press Reconnect.",
        "Please assign this user to Rethread under Enterprise applications, Users and groups.",
    ),
    "not_authorized_for_mailbox": _admin(
        "No right to this mailbox",
        "The sign-in is fine, but it may not open this mailbox; this happens with shared mailboxes. Ask the "
        "administrator for full access, then press Resync.",
        "Please grant this user full access (and Send As) on the mailbox.",
    ),
    "contact_admin": _admin(
        "Server sends you to the administrator",
        "The mail server says only an administrator can help; its own words are shown. Send them to your mail "
        "administrator, then press Resync.",
        "The mail server refuses this mailbox and points to you; its reply is quoted. Please look at the account.",
    ),
    "tenant_not_found": _admin(
        "Organisation not found",
        "The provider does not know the organisation of this sign-in; it may have been closed or renamed. Check the "
        "address and ask the administrator, then press Reconnect.",
        "The sign-in reports that our tenant does not exist. Please confirm the organisation's directory.",
    ),
    "server_alert": _admin(
        "Message from the mail server",
        "The mail server has a message for you, shown as it came. Do what it says or send it to your mail "
        "administrator, then press Resync.",
        "The mail server answered with this alert; its text is quoted. Please advise.",
    ),
}

_OUR_APP: dict[str, Cause] = {
    "oauth_client_secret_expired": _app(
        "Sign-in app: secret has expired",
        "The secret of Rethread's registration at the provider has run out, so no mailbox there can sign in. The "
        "operator makes a new secret, puts it into the settings and restarts.",
    ),
    "oauth_client_secret_invalid": _app(
        "Sign-in app: secret is wrong",
        "The provider does not accept the secret of Rethread's registration. The operator copies the secret's value "
        "(not its id) into the settings and restarts.",
    ),
    "oauth_client_invalid": _app(
        "Sign-in app: not recognised",
        "The provider does not know Rethread's registration or does not allow it this way of signing in. The operator "
        "checks client id, secret and tenant in the settings (error 401 invalid_client is this).",
    ),
    "oauth_client_disabled": _app(
        "Sign-in app: switched off",
        "The registration of Rethread has been disabled in the organisation, so all its mailboxes fail together. An "
        "administrator enables it under Enterprise applications.",
    ),
    "oauth_client_deleted": _app(
        "Sign-in app: deleted",
        "The registration of Rethread at the provider was deleted. The operator restores it, or makes a new one, after "
        "which everybody presses Reconnect.",
    ),
    "redirect_uri_mismatch": _app(
        "Sign-in app: return address not registered",
        "The provider does not know the address to which it should send you back (error 400 redirect_uri_mismatch). "
        "The operator adds the exact callback address to the registration; then press Reconnect.",
    ),
    "oauth_config_error": _app(
        "Sign-in app: set up wrongly",
        "The provider finds the sign-in request itself wrong, so nothing you enter can help. The operator corrects the "
        "registration (tenant, scopes, platform) with the provider's words shown here.",
    ),
    "process_fd_limit": _app(
        "Server is out of connections",
        "This Rethread server may not open more connections. The operator raises its limit of open files and restarts.",
    ),
    "proxy_auth_required": _app(
        "Proxy wants a login",
        "A proxy between this server and the provider refuses it without a login. The operator corrects the proxy's "
        "user name and password.",
    ),
}

ACCESS_CAUSES: Mapping[str, Cause] = {**_USER, **_SWITCH, **_ADMIN, **_OUR_APP}
