"""What operating systems, Python, OpenSSL and resolvers say when no server spoke. Pure data.

Nothing here can mean a wrong password: a network fault says nothing about credentials.
"""

from __future__ import annotations

from core.domain.diagnosis.signature import Signature, sig

TLS_SIGNATURES: tuple[Signature, ...] = (
    sig(
        "tls_hostname_mismatch",
        (
            "host ?name mismatch|ip address mismatch|not valid for '|does ?n[o']t match (?:either|the host)|"
            "certificate (?:is )?(?:not valid for|issued for)|hostname .{0,80}match"
        ),
    ),
    sig(
        "tls_cert_expired",
        "certificate (?:has |is )?(?:expired|not yet valid)|certificate_expired|sslv3 alert certificate expired",
    ),
    sig(
        "tls_cert_untrusted",
        (
            "certificate.?verify.?failed|self[- ]signed|local issuer|unknown ca|unknown_ca|untrusted|"
            "unable to verify|certificate (?:is )?(?:not trusted|revoked)|unable to get issuer"
        ),
    ),
    sig(
        "tls_version_unsupported",
        (
            "unsupported.?protocol|protocol.?version|version too low|no protocols available|"
            r"tlsv1(?:\.[01])? .{0,30}(?:not supported|disabled)"
        ),
    ),
    sig(
        "tls_wrong_port",
        (
            "wrong.?version.?number|http.?request|unknown protocol|packet length too long|record layer failure|"
            "not an? (?:ssl|tls)|plain ?text .{0,20}instead|bad_record_type|starttls (?:extension )?(?:is )?not"
        ),
    ),
    sig("connection_reset", "unexpected.?eof|eof occurred|connection reset|closed abruptly"),
    sig(
        "tls_handshake_failed",
        (
            "handshake.?failure|handshake failed|no.?shared.?cipher|no.?ciphers?.?available|dh.?key.?too.?small|"
            "insufficient.?security|unsafe.?legacy.?renegotiation|ee.?key.?too.?small|certificate required|"
            "bad.?certificate|internal.?error|decrypt error|illegal.?parameter|no.?suitable.?signature"
        ),
    ),
)

DNS_SIGNATURES: tuple[Signature, ...] = (
    sig(
        "dns_no_record",
        (
            r"does not contain an answer|no answer to the question|\bnoanswer\b|no (?:mx|srv|txt|a|aaaa) record|"
            "nodata"
        ),
    ),
    sig(
        "dns_temporary_failure",
        (
            "resolution lifetime|dns operation timed out|temporary failure in name|"
            "name resolution.{0,30}(?:fail|tempor)|nameservers? failed|servfail|non-recoverable failure|"
            r"no ?nameservers|lifetimetimeout|eai_again|errno -[34]\b|name server .{0,40}(?:unreachable|refused)|"
            "answered refused|try_again"
        ),
    ),
    sig(
        "dns_name_unknown",
        (
            r"name or service not known|query name does not exist|nxdomain|nodename nor servname|errno -[25]\b|"
            r"no address associated|errno 11001|errno 8\b|getaddrinfo failed|eai_noname|unknown host|"
            "host (?:name )?not found|could not resolve|name does not resolve|no such host"
        ),
    ),
)

SOCKET_SIGNATURES: tuple[Signature, ...] = (
    sig("process_fd_limit", r"err(?:no|or) (?:24|23)\b|too many open files|emfile|enfile"),
    sig("proxy_auth_required", r"proxy auth|\b407 proxy"),
    sig("client_bug", "unexpected tagged response|pending sync command", transient=True),
    sig(
        "connection_refused",
        r"connection refused|connect call failed|err(?:no|or) (?:111|61|10061)\b|actively refused|econnrefused",
    ),
    sig(
        "network_unreachable",
        (
            "network is (?:unreachable|down)|no route to host|host is (?:down|unreachable)|"
            r"err(?:no|or) (?:113|101|100|99|51|64|65|10051|10065)\b|enetunreach|cannot assign requested|"
            "ehostunreach|unreachable (?:host|network)"
        ),
    ),
    sig(
        "connect_timeout",
        (
            r"connection timed ?out|connect\w* time-?d? ?out|err(?:no|or) (?:110|60|10060)\b|etimedout|"
            "connecttimeout|timed ?out (?:while |when )?(?:connecting|trying to connect)|"
            "handshake.{0,40}(?:time|longer than)|time-?out.{0,20}connecting"
        ),
    ),
    sig(
        "connection_reset",
        (
            "broken pipe|connection (?:was |has been |is )?(?:reset|lost|aborted|broken)|reset by peer|"
            r"err(?:no|or) (?:104|103|32|54|53|10053|10054)\b|econnreset|forcibly closed|connection abort|"
            "bytes read on a total|epipe|serverdisconnected|"
            "(?:socket|transport|client|server) (?:is )?not connected|unexpectedly closed|"
            "connection (?:unexpectedly |already )?closed|incomplete ?read|eof (?:received|while)|unexpected eof|"
            "closed unexpectedly"
        ),
    ),
    sig("read_timeout", "time-?out|timed ?out|no (?:answer|response|data) (?:within|for|after)"),
)

NETWORK_SIGNATURES: tuple[Signature, ...] = (*TLS_SIGNATURES, *DNS_SIGNATURES, *SOCKET_SIGNATURES)
