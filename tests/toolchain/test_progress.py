"""What the user is told is what was said."""

import pytest

from toolchain.progress import complain, console

SAID = "such as [zone-a], trusted [1, 2], [urn=urn:pulumi:s::p], in [/var/lib]"


def test_what_is_in_brackets_is_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    complain(SAID)
    console.print(SAID, soft_wrap=True)
    assert capsys.readouterr().err.splitlines() == [f"error: {SAID}", SAID]
