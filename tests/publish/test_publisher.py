"""Who publishes, by the command line and `[identity]`."""

import pytest

from pipeline.config.sections import IdentitySection
from pipeline.errors import InputError
from pipeline.publish.publisher import NO_LICENCE, Wishes, publisher

IDENTITY = IdentitySection(contact="noc@example.org", url="https://example.org/out", authorised_by="Example Lab")


def test_identity_fills_what_is_not_given() -> None:
    """Name, contact and opt-out page are those of `[identity]`; an address ends in a slash."""
    made = publisher(Wishes(url="https://example.org/census"), IDENTITY)
    assert (made.name, made.contact, made.opt_out) == ("Example Lab", "noc@example.org", "https://example.org/out")
    assert made.licence is NO_LICENCE and made.contact_uri == "mailto:noc@example.org"
    assert made.at("feed.xml") == "https://example.org/census/feed.xml"


def test_the_command_line_comes_first() -> None:
    """What is given counts, also a licence in other letters."""
    made = publisher(Wishes(name="Another", licence="cc0-1.0"), IDENTITY)
    assert made.name == "Another" and made.licence.name == "CC0 1.0" and made.at("feed.xml") == "feed.xml"


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        (Wishes(licence="mine"), "--licence: mine is not the SPDX id of a licence for data; name one of CC0-1.0, "),
        (Wishes(url="javascript:alert(1)"), "--url: javascript:alert(1) is not an address of a page"),
        (Wishes(url="https://[", name="x"), "--url: https://[ is not an address of a page"),
        (Wishes(name="a\u202eb"), "--name: a\\u202eb has characters that nobody sees"),
    ],
)
def test_wrong_options_are_named(wishes: Wishes, message: str) -> None:
    """An unknown licence, what is no web address, and hidden characters are refused."""
    with pytest.raises(InputError) as error:
        publisher(wishes, IDENTITY)
    assert str(error.value).startswith(message)
