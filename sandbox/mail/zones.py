"""The names the sandbox's DNS server knows at the start: sample senders and sample recipients."""

Records = dict[tuple[str, str], list[str]]

# The providers' own servers, played by this host.
PROVIDER_HOSTS = ("imap.gmail.com", "smtp.gmail.com", "outlook.office365.com", "smtp.office365.com")

FAULTS = ("none", "spf", "dmarc", "nxdomain", "servfail", "silent")

# A throw-away RSA key, public half: checkers want one of a usual size.
_DKIM_KEY = (
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAoapLrwMp96RS7kHuESbJQWMrDq8l160SEG5VKH7uXTp6Et"
    "nPcsglw6YTUWYIShvEit0mysraq0KQsWxwpvcmUxwwb/s/rgUir4hrBM9fcb4U9dYmJwTz6KIOKKiYpYgWa7jrtSHi"
    "t42vtmdNf+5IZ5cs6rnIkTSIm8IKoW/0CCf6OJGpKIr2bs3BI7HFq+fjSGu4JKDAPe5Erh0dZdWpv+0/hkC9TlFawP"
    "L8y0Aek1Ygchx1+lBRKXKQA+GCSnLucVo28YrYwQemCX/9d9cxVPooMvEejlkZkOwgrzl/5utrPSN9uI5AN/qG9bI/"
    "mqwsIvjctZVRrZ4M5rqZPecxRwIDAQAB"
)


def txt(value: str) -> str:
    """A TXT record's presentation form, cut into strings of 255 octets (RFC 1035 section 3.3.14)."""
    return " ".join(f'"{value[at : at + 255]}"' for at in range(0, len(value), 255))


def _sender(domain: str) -> Records:
    """A domain that is set up as it should be, its mail on this host."""
    return {
        (domain, "MX"): [f"10 mail.{domain}."],
        (domain, "A"): ["127.0.0.1"],
        (f"mail.{domain}", "A"): ["127.0.0.1"],
        (f"imap.{domain}", "A"): ["127.0.0.1"],
        (f"smtp.{domain}", "A"): ["127.0.0.1"],
        (domain, "TXT"): [txt("v=spf1 mx -all")],
        (f"_dmarc.{domain}", "TXT"): [txt(f"v=DMARC1; p=quarantine; rua=mailto:dmarc@{domain}")],
        (f"default._domainkey.{domain}", "TXT"): [txt(f"v=DKIM1; k=rsa; p={_DKIM_KEY}")],
    }


def _recipient(domain: str) -> Records:
    return {
        (domain, "MX"): [f"10 mx.{domain}."],
        (f"mx.{domain}", "A"): ["127.0.0.1"],
        (f"mx.{domain}", "AAAA"): ["::1"],
        (domain, "TXT"): [txt("v=spf1 mx ~all")],
    }


def _google_hosted(domain: str) -> Records:
    """A domain at Google Workspace, as its set-up guide wants it: no service records of its own."""
    exchangers = {"aspmx": 1, "alt1.aspmx": 5, "alt2.aspmx": 5, "alt3.aspmx": 10, "alt4.aspmx": 10}
    return {
        (domain, "MX"): [f"{preference} {host}.l.google.com." for host, preference in exchangers.items()],
        (domain, "TXT"): [txt("v=spf1 include:_spf.google.com ~all")],
        (f"_dmarc.{domain}", "TXT"): [txt(f"v=DMARC1; p=none; rua=mailto:dmarc@{domain}")],
        (f"google._domainkey.{domain}", "TXT"): [txt(f"v=DKIM1; k=rsa; p={_DKIM_KEY}")],
        **{(f"{host}.l.google.com", "A"): ["192.0.2.10"] for host in exchangers},
    }


def _microsoft_hosted(domain: str) -> Records:
    """A domain at Microsoft 365, as its set-up guide wants it: no service records of its own."""
    exchanger = f"{domain.replace('.', '-')}.mail.protection.outlook.com"
    return {
        (domain, "MX"): [f"0 {exchanger}."],
        (exchanger, "A"): ["192.0.2.130"],
        (domain, "TXT"): [txt("v=spf1 include:spf.protection.outlook.com -all")],
        (f"_dmarc.{domain}", "TXT"): [txt(f"v=DMARC1; p=quarantine; rua=mailto:dmarc@{domain}")],
        (f"selector1._domainkey.{domain}", "TXT"): [txt(f"v=DKIM1; k=rsa; p={_DKIM_KEY}")],
    }


def sample_records() -> Records:
    """Sender domains in order and in disorder, recipient domains, and providers by their MX."""
    hosted = ("candidates.example", "lindstudio.example", "ramanworks.example", "many.example")
    records = _sender("agency.test") | _google_hosted("sprout.test") | _microsoft_hosted("meridian.test")
    for name in PROVIDER_HOSTS:
        records[name, "A"] = ["127.0.0.1"]
    for domain in hosted:
        records |= _recipient(domain)
    return records | {
        ("localhost", "A"): ["127.0.0.1"],
        ("localhost", "AAAA"): ["::1"],
        ("google-hosted.example", "MX"): ["1 aspmx.l.google.com.", "5 alt1.aspmx.l.google.com."],
        ("google-hosted.example", "TXT"): [txt("v=spf1 include:_spf.google.com ~all")],
        ("_spf.google.com", "TXT"): [txt("v=spf1 ip4:192.0.2.0/25 ~all")],
        ("microsoft-hosted.example", "MX"): ["0 microsoft-hosted-example.mail.protection.outlook.com."],
        ("microsoft-hosted.example", "TXT"): [txt("v=spf1 include:spf.protection.outlook.com -all")],
        ("microsoft-hosted-example.mail.protection.outlook.com", "A"): ["192.0.2.130"],
        ("spf.protection.outlook.com", "TXT"): [txt("v=spf1 ip4:192.0.2.128/25 -all")],
        ("google-with-outlook.example", "MX"): ["1 aspmx.l.google.com."],
        ("google-with-outlook.example", "TXT"): [txt("v=spf1 include:spf.protection.outlook.com -all")],
        ("no-mail.example", "MX"): ["0 ."],
        ("two-spf.example", "MX"): ["10 mx.candidates.example."],
        ("two-spf.example", "TXT"): [txt("v=spf1 mx -all"), txt("v=spf1 a ~all")],
        ("no-policy.example", "MX"): ["10 mx.candidates.example."],
    }
