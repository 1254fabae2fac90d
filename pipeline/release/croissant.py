"""`croissant.json`: the Parquet files, described by Croissant 1.0 (https://docs.mlcommons.org/croissant/docs/croissant-spec.html)."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.release.citation import KEYWORDS, Citation, Creator
from pipeline.release.contents import Content, Described
from pipeline.release.datapackage import path

#: The terms of the document, as the specification requires them.
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
TYPES = {
    "string": "sc:Text",
    "integer": "sc:Integer",
    "number": "sc:Float",
    "boolean": "sc:Boolean",
    "datetime": "sc:DateTime",
}


def croissant(cited: Citation, contents: Iterable[Content], files: Mapping[str, bytes]) -> dict[str, Any]:
    """The description; `files` has the Parquet files by their paths in the bundle."""
    contents = list(contents)
    described: dict[str, Any] = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": "dicom-census",
        "alternateName": cited.title,
        "description": cited.description,
        "license": cited.licence_url,
        "url": cited.identifier or "https://schema.org/Dataset",
        "version": "1.0.0",
        "citeAs": cited.text,
        "datePublished": cited.issued.isoformat(),
        "keywords": list(KEYWORDS),
        "creator": [_creator(creator) for creator in cited.creators],
        "publisher": {"@type": "sc:Organization", "name": cited.publisher},
        "distribution": [_file(content, files[path(content, "parquet")]) for content in contents],
        "recordSet": [_records(content) for content in contents],
    }
    return described


def _creator(creator: Creator) -> dict[str, str]:
    kind = "sc:Person" if creator.is_person else "sc:Organization"
    orcid = {"url": f"https://orcid.org/{creator.orcid}"} if creator.orcid else {}
    return {"@type": kind, "name": creator.name} | orcid


def _file(content: Content, data: bytes) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": f"{content.name}.parquet",
        "name": f"{content.name}.parquet",
        "description": content.question,
        "contentUrl": path(content, "parquet"),
        "contentSize": f"{len(data)} B",
        "encodingFormat": "application/x-parquet",
        "sha256": hashlib.sha256(data).hexdigest(),
    }


def _records(content: Content) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": content.name,
        "name": content.name,
        "description": content.question,
        "field": [_field(content.name, column) for column in content.columns],
    }


def _field(table: str, column: Described) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"{table}/{column.name}",
        "name": column.name,
        "description": column.meaning,
        "dataType": TYPES[column.type],
        "source": {"fileObject": {"@id": f"{table}.parquet"}, "extract": {"column": column.name}},
    }
