"""All checks of one domain together. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from core.domain.dns_checks.dkim import check_dkim
from core.domain.dns_checks.dmarc import check_dmarc
from core.domain.dns_checks.findings import DomainReport
from core.domain.dns_checks.mx import check_mx, mx_hosts
from core.domain.dns_checks.spf import check_spf, provider_by_spf
from core.domain.dns_checks.view import Facts, Question, View
from core.domain.providers import provider_of_mx


def judge(
    domain: str, facts: Facts, *, selectors: Sequence[str] = (), connected: str | None = None
) -> tuple[DomainReport, tuple[Question, ...]]:
    """The report that the facts allow, and the questions whose answers would tell more, most important first.

    Begin with no facts, ask, and judge again until nothing is wanted; what is never answered stays unknown. The
    domain and the DKIM selectors are valid names; ``connected`` is the provider of a mailbox of this domain.
    """
    view = View(facts)
    hosts = mx_hosts(view, domain) or ()
    provider = provider_of_mx(hosts) or provider_by_spf(view, domain)
    findings = (
        check_mx(view, domain, provider, connected),
        check_spf(view, domain, provider),
        check_dmarc(view, domain),
        check_dkim(view, domain, selectors, provider),
    )
    return DomainReport(domain, provider, findings), tuple(view.wanted)
