"""Known answers about certificates, as OpenSSL made them, and changes that must not give them."""

from __future__ import annotations

from types import ModuleType

from tests.support.boards import FakeTree

FILE = "/etc/edgenode/tls/node.pem"
AROUND = "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n"
SHORT = AROUND.format(
    """\
MIIBUDCB96ADAgECAgEBMAoGCCqGSM49BAMCMBsxGTAXBgNVBAMMEDBhMWIyYzNk
NGU1ZjYwNzEwHhcNMjYwMTAxMDAwMDAwWhcNMjYwNDAxMTIzNDU2WjAbMRkwFwYD
VQQDDBAwYTFiMmMzZDRlNWY2MDcxMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE
oVlDMDkG3Xu8U8UTPUvvVHffRH8OOlMLQpHbiF2eN2nXAk0y1DBSq/Q47RCyPGgS
GFUQ5AH0Pi6UN9KtOLFmf6MsMCowCQYDVR0TBAIwADAdBgNVHQ4EFgQUkh6FhS31
XgLlLyK8KvX1fbcTXaMwCgYIKoZIzj0EAwIDSAAwRQIhANntXqsLyqsAVEoj5Oaw
QGQ9D1+YLXB8+yFPyynBfbUEAiBD61OrQA8IShUxqMAAv12bAlmMXYaJVQI15I4k
Hnji5A=="""
)
LONG_LIVED = AROUND.format(
    """\
MIIBUTCB+aADAgECAgECMAoGCCqGSM49BAMCMBsxGTAXBgNVBAMMEDBhMWIyYzNk
NGU1ZjYwNzEwIBcNMjYwMTAxMDAwMDAwWhgPMjA1NTEyMzEyMzU5NTlaMBsxGTAX
BgNVBAMMEDBhMWIyYzNkNGU1ZjYwNzEwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
AAShWUMwOQbde7xTxRM9S+9Ud99Efw46UwtCkduIXZ43adcCTTLUMFKr9DjtELI8
aBIYVRDkAfQ+LpQ30q04sWZ/oywwKjAJBgNVHRMEAjAAMB0GA1UdDgQWBBSSHoWF
LfVeAuUvIrwq9fV9txNdozAKBggqhkjOPQQDAgNHADBEAiA6PeHXjb0z+jSVrjmq
eEG6IKTgpAo0M9MqIfQQR7ldXQIgbuUZF6K+vvTv0wpK/BBG0QcoejNtVDqVylhX
LAU/B0A="""
)
FIRST_VERSION = AROUND.format(
    """\
MIIBHjCBxAIBAzAKBggqhkjOPQQDAjAbMRkwFwYDVQQDDBAwYTFiMmMzZDRlNWY2
MDcxMB4XDTcwMDEwMTAwMDAwMFoXDTQ5MTIzMTIzNTk1OVowGzEZMBcGA1UEAwwQ
MGExYjJjM2Q0ZTVmNjA3MTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABKFZQzA5
Bt17vFPFEz1L71R330R/DjpTC0KR24hdnjdp1wJNMtQwUqv0OO0QsjxoEhhVEOQB
9D4ulDfSrTixZn8wCgYIKoZIzj0EAwIDSQAwRgIhAPL0u3VyADR3+qVZZ2Cnhaad
qWhBYrCuhJgmSLE0rQBJAiEApih719u2MdY25rsCTl2I7vIduYfLLTbBwjlcHvWB
gsk="""
)
DAY = 86_400
# What each holds, and its ends in POSIX seconds: `openssl x509 -dates`, `date -d … +%s`.
KNOWN = [
    (SHORT, 1_767_225_600, 1_775_046_896),  # 2026-01-01 to 2026-04-01 12:34:56, both UTCTime
    (LONG_LIVED, 1_767_225_600, 2_713_910_399),  # to 2055-12-31 23:59:59, GeneralizedTime
    (FIRST_VERSION, 0, 2_524_607_999),  # 1970 to 2049-12-31 23:59:59, no field of a version
    (SHORT + LONG_LIVED, 1_767_225_600, 1_775_046_896),  # the node's own comes first
]
OF_THE_CERTIFICATE = [
    ("VERSION: Final = 0xA0", "VERSION: Final = 0xA1"),
    ("UTC_TIME: Final = 0x17", "UTC_TIME: Final = 0x18"),
    ("TIME: Final = 0x18", "TIME: Final = 0x19"),
    ("BEFORE_VALIDITY: Final = 3", "BEFORE_VALIDITY: Final = 4"),
    ("CENTURY: Final = 50", "CENTURY: Final = 30"),
    ("CENTURY: Final = 50", "CENTURY: Final = 80"),
    ("now_s < begin", "now_s > begin"),
    ("end - now_s", "now_s - end"),
    ("LONG: Final = 0x80", "LONG: Final = 0x40"),
    (".partition(END)[0]", ".replace(END, '').replace(BEGIN, '')"),
]


def certificate_holds(module: ModuleType) -> bool:
    """Whether a module reads the ends of certificates as is known."""
    for text, begin, end in KNOWN:
        tree = FakeTree({FILE: text})
        for now, left in ((begin, end - begin), (end, 0), (end + DAY, -DAY), (begin - 1, None)):
            try:
                if module.certificate_left(tree, FILE, now) != left:
                    return False
            except (ValueError, IndexError):
                return False
    return True
