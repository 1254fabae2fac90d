"""`datapackage.json`: the CSV files, described by Frictionless Data Package 1 (https://specs.frictionlessdata.io/data-package/)."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.release.citation import KEYWORDS, Citation
from pipeline.release.contents import Content


def datapackage(cited: Citation, contents: Iterable[Content], files: Mapping[str, bytes]) -> dict[str, Any]:
    """The description; `files` has the CSV files by their paths in the bundle."""
    homepage = {"homepage": cited.url} if cited.url else {}
    return homepage | {
        "profile": "tabular-data-package",
        "name": "dicom-census",
        "id": cited.identifier or cited.version,
        "title": cited.title,
        "description": cited.description,
        "version": cited.version,
        "created": f"{cited.issued.isoformat()}T00:00:00Z",
        "keywords": list(KEYWORDS),
        "licenses": [{"name": cited.licence, "path": cited.licence_url}],
        "contributors": [{"title": creator.name, "role": "author"} for creator in cited.creators],
        "resources": [_resource(content, files[path(content)]) for content in contents],
    }


def path(content: Content, suffix: str = "csv") -> str:
    """Where a table is in the bundle."""
    return f"data/{content.name}.{suffix}"


def _resource(content: Content, data: bytes) -> dict[str, Any]:
    return {
        "profile": "tabular-data-resource",
        "name": content.name,
        "path": path(content),
        "description": content.question,
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": len(data),
        "hash": f"sha256:{hashlib.sha256(data).hexdigest()}",
        "schema": {
            "fields": [
                {"name": column.name, "type": column.type, "description": column.meaning} for column in content.columns
            ],
            "missingValues": [""],
        },
    }
