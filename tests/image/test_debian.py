"""Debian comes from the mirrors that this machine is set up with, with the settings that reach them."""

from toolchain.image import debian

TARGETS = """\
Packages http://mirror.example/debian/ bookworm main
DEP-11 http://mirror.example/debian/ bookworm main
Packages http://mirror.example/debian/ bookworm-updates main
Packages http://mirror.example/security/ bookworm-security main
Sources http://mirror.example/sources-only/ bookworm main
Packages http://mirror.example/other/ noble universe
Packages http://mirror.example/debian/ bookworm main
"""

CONFIGURATION = """\
APT::Architecture "amd64";
Acquire::http::Proxy "http://proxy.example:3128";
Acquire::https::CAInfo "/etc/ssl/company.pem";
Acquire::Check-Date "false";
Acquire::Languages "none";
"""


def test_the_suite_its_updates_and_its_security_fixes_come_from_this_machines_mirrors() -> None:
    assert debian.mirrors(TARGETS) == [
        "deb http://mirror.example/debian/ bookworm main",
        "deb http://mirror.example/debian/ bookworm-updates main",
        "deb http://mirror.example/security/ bookworm-security main",
    ]


def test_another_distribution_has_no_mirror_of_the_suite() -> None:
    assert debian.mirrors("Packages http://mirror.example/ubuntu/ noble main\n") == []
    assert debian.mirrors("") == []


def test_proxies_certificates_and_clock_checks_are_carried_over_and_nothing_else() -> None:
    assert debian.carried(CONFIGURATION) == [
        'Acquire::http::Proxy "http://proxy.example:3128"',
        'Acquire::https::CAInfo "/etc/ssl/company.pem"',
        'Acquire::Check-Date "false"',
    ]
