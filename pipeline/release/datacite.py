"""The fields by which a data set gets its DOI (DataCite 4.5), and its `CITATION.cff` (https://citation-file-format.github.io/)."""

from typing import Any

import msgspec

from pipeline.release.citation import KEYWORDS, Citation, Creator


def datacite(cited: Citation) -> dict[str, Any]:
    """`datacite.json`, as the REST API and Zenodo take it; without a DOI the registrar adds one."""
    fields: dict[str, Any] = {
        "creators": [_creator(creator) for creator in cited.creators],
        "titles": [{"title": cited.title}],
        "publisher": {"name": cited.publisher},
        "publicationYear": f"{cited.issued:%Y}",
        "types": {"resourceTypeGeneral": "Dataset", "resourceType": "Census of DICOM services"},
        "subjects": [{"subject": word} for word in KEYWORDS],
        "dates": [{"date": cited.issued.isoformat(), "dateType": "Issued"}],
        "language": "en",
        "version": cited.version,
        "rightsList": [
            {
                "rights": cited.licence,
                "rightsUri": cited.licence_url,
                "rightsIdentifier": cited.licence,
                "rightsIdentifierScheme": "SPDX",
                "schemeUri": "https://spdx.org/licenses/",
            }
        ],
        "descriptions": [{"description": cited.description, "descriptionType": "Abstract"}],
        "schemaVersion": "http://datacite.org/schema/kernel-4",
    }
    if cited.doi:
        fields |= {"doi": cited.doi}
    return fields | ({"url": cited.url} if cited.url else {})


def _creator(creator: Creator) -> dict[str, Any]:
    named: dict[str, Any] = {"name": creator.name, "nameType": "Personal" if creator.is_person else "Organizational"}
    if creator.is_person:
        named |= {"givenName": creator.given, "familyName": creator.family}
    if creator.orcid:
        scheme = {"nameIdentifierScheme": "ORCID", "schemeUri": "https://orcid.org"}
        named["nameIdentifiers"] = [{"nameIdentifier": f"https://orcid.org/{creator.orcid}", **scheme}]
    return named


def cff(cited: Citation) -> str:
    """`CITATION.cff` of the data. Each value is written as JSON, which is YAML."""
    fields: dict[str, Any] = {
        "cff-version": "1.2.0",
        "message": "If you use these data, please cite them.",
        "type": "dataset",
        "title": cited.title,
        "abstract": cited.description,
        "authors": [_author(creator) for creator in cited.creators],
        "date-released": cited.issued.isoformat(),
        "version": cited.version,
        "license": cited.licence,
        "keywords": list(KEYWORDS),
    }
    fields |= {"doi": cited.doi} if cited.doi else {}
    fields |= {"url": cited.url} if cited.url else {}
    return "".join(f"{key}: {msgspec.json.encode(value).decode()}\n" for key, value in fields.items())


def _author(creator: Creator) -> dict[str, str]:
    named = (
        {"family-names": creator.family, "given-names": creator.given} if creator.is_person else {"name": creator.name}
    )
    return named | ({"orcid": f"https://orcid.org/{creator.orcid}"} if creator.orcid else {})
