"""The address book: recipients with a country or signed ranges, their keys and formats; faults are named."""

from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.notify import address_book
from pipeline.notify.address_book import Format

HEAD = 'lab = "L"\ncontact = "c@example.org"\n'
GB = '[[recipient]]\nname = "cert-gb"\nkey = "age1x"\ncountry = "GB"\nformats = ["n6", "stix"]\n'
OWN = GB.replace('country = "GB"', 'constituency = { owner = "O", ranges = "r", signature = "s", public_key = "p" }')


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "book.toml"
    path.write_text(text)
    return path


def test_a_book_is_read(tmp_path: Path) -> None:
    """A recipient has a name, a key, formats, and a country or signed ranges."""
    book = address_book.load(write(tmp_path, HEAD + GB + OWN.replace("cert-gb", "trust")))
    assert [(each.name, each.scope, each.formats) for each in book.recipient] == [
        ("cert-gb", "gb", (Format.N6, Format.STIX)),
        ("trust", "constituency", (Format.N6, Format.STIX)),
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (HEAD, "key recipient: is missing"),
        (HEAD + GB.replace("GB", "UK"), "recipient.0..country: UK is not a country .* e.g. GB"),
        (HEAD + GB.replace("GB", "ZZ"), "ZZ is not a country"),
        (HEAD + GB.replace('country = "GB"\n', ""), "needs one of `country` and `constituency`"),
        (HEAD + OWN + 'country = "GB"\n', "needs one of `country` and `constituency`"),
        (HEAD + GB + GB, "has two of the name cert-gb"),
        (HEAD + GB.replace("stix", "csaf"), "formats.1.: \"csaf\" is not one of .*openkat"),
        (HEAD + GB.replace("cert-gb", "../x"), "a name: 1 to 40 lower-case letters"),
        (HEAD + GB + "mail = 1\n", "mail: is unknown"),
        ("lab = [", "is not TOML"),
    ],
)  # fmt: skip
def test_faults_are_named(tmp_path: Path, text: str, fault: str) -> None:
    """A book that is wrong is refused, with the key and what would be right."""
    with pytest.raises(InputError, match=fault):
        address_book.load(write(tmp_path, text))


def test_a_key_that_cannot_be_read_names_its_recipient(tmp_path: Path) -> None:
    """An error about a key says whose it is."""
    path = write(tmp_path, HEAD + GB.replace("age1x", "missing.asc"))
    with pytest.raises(InputError, match=r"key of recipient cert-gb, missing.asc: cannot be read: No such file"):
        address_book.open_recipients(path, address_book.load(path).recipient)
