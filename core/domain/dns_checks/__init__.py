"""Is a domain's mail set up right? MX, SPF, DMARC and DKIM judged from DNS records (R54..R57, R63, R64, R191). Pure."""

from core.domain.dns_checks.findings import PROPAGATION, DomainReport, Finding, Verdict
from core.domain.dns_checks.names import domain_name, selector_name
from core.domain.dns_checks.report import judge
from core.domain.dns_checks.view import Facts, Kind, Question

__all__ = [
    "PROPAGATION",
    "DomainReport",
    "Facts",
    "Finding",
    "Kind",
    "Question",
    "Verdict",
    "domain_name",
    "judge",
    "selector_name",
]
