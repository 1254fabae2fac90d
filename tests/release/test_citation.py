"""How a data set is cited."""

from datetime import date

import pytest

from pipeline.config.sections import ReleaseSection
from pipeline.errors import InputError
from pipeline.release.citation import Citation, Creator, citation, creator

SECTION = ReleaseSection(licence="cc-by-4.0", creators=("Lovelace, Ada (0000-0002-1825-0097)", "Example Laboratory"))


def made(**changed: object) -> Citation:
    given = {"licence": SECTION.licence, "creators": SECTION.creators} | changed
    section = ReleaseSection(**given)  # type: ignore[arg-type]
    return citation(
        section, title="A census", description="Counts.", version="20260601T030000Z-weekly", issued=date(2026, 6, 2)
    )


def test_a_person_has_a_family_name() -> None:
    """A name with a comma is a person's, with an ORCID in brackets or as a URL; any other is that of a body."""
    ada = creator("Lovelace, Ada (0000-0002-1825-0097)")
    assert (ada.family, ada.given, ada.orcid, ada.is_person) == ("Lovelace", "Ada", "0000-0002-1825-0097", True)
    assert creator("Lovelace, Ada https://orcid.org/0000-0002-1825-0097") == ada
    assert (
        creator("Example Laboratory") == Creator("Example Laboratory") and not creator("Example Laboratory").is_person
    )


def test_it_is_one_line() -> None:
    """The text to cite by has makers, year, title, version, publisher and where it is; the first maker publishes by default."""
    assert made(doi="10.5281/zenodo.1").text == (
        "Lovelace, Ada; Example Laboratory (2026): A census. version 20260601T030000Z-weekly. Lovelace, Ada [data set]. "
        "https://doi.org/10.5281/zenodo.1."
    )
    assert made(doi="https://doi.org/10.5281/zenodo.1").doi == "10.5281/zenodo.1"
    assert made(url="https://example.org/", publisher="P").identifier == "https://example.org/"


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"creators": ()}, "--creator: a data set is cited by its makers"),
        (
            {"licence": ""},
            "--licence: which licence the data get is the laboratory's choice; name one of CC0-1.0, CC-BY-4.0",
        ),
        ({"licence": "MIT"}, "--licence: MIT is not the SPDX id of a licence for data"),
        ({"doi": "zenodo.1"}, "--doi: zenodo.1 is not a DOI"),
        ({"creators": ("Ada (0000-0002-1825-0098)",)}, "0000-0002-1825-0098 is not an ORCID"),
    ],
)
def test_wrong_words_are_refused(changed: dict[str, object], error: str) -> None:
    """What is missing or wrong is named, with the option and what would be right."""
    with pytest.raises(InputError) as refused:
        made(**changed)
    assert error in str(refused.value)


def test_a_licence_is_known_in_any_case() -> None:
    """The SPDX id is spelled as SPDX does, and has the page of its text."""
    assert made().licence == "CC-BY-4.0" and made().licence_url == "https://creativecommons.org/licenses/by/4.0/"
