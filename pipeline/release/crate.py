"""`ro-crate-metadata.json`: the bundle and how it came about, by RO-Crate 1.1 (https://w3id.org/ro/crate/1.1)."""

from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.publish.data import Facts
from pipeline.release.citation import KEYWORDS, Citation, Creator

MEDIA_TYPES = {
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "json": "application/json",
    "md": "text/markdown",
    "sql": "application/sql",
    "py": "text/x-python",
    "svg": "image/svg+xml",
    "cff": "application/yaml",
    "txt": "text/plain",
    "sha256": "text/plain",
}
PROGRAM = "#dicom-census"


def crate(cited: Citation, published: Iterable[Facts], files: Mapping[str, bytes]) -> dict[str, Any]:
    """The description of these files, with each sweep as the action that they come from."""
    sweeps = list(published)
    creators = [_creator(creator) for creator in cited.creators]
    publisher = {"@id": "#publisher", "@type": "Organization", "name": cited.publisher}
    licence = {"@id": cited.licence_url, "@type": "CreativeWork", "name": cited.licence, "description": cited.licence}
    actions = [_action(facts) for facts in sweeps]
    program = {"@id": PROGRAM, "@type": "SoftwareApplication", "name": "dicom-census"}
    versions = sorted({str(facts.about["code_version"]) for facts in sweeps})
    root: dict[str, Any] = {
        "@id": "./",
        "@type": "Dataset",
        "name": cited.title,
        "description": cited.description,
        "datePublished": cited.issued.isoformat(),
        "license": {"@id": cited.licence_url},
        "creator": [{"@id": creator["@id"]} for creator in creators],
        "publisher": {"@id": "#publisher"},
        "keywords": ", ".join(KEYWORDS),
        "version": cited.version,
        "creditText": cited.text,
        "hasPart": [{"@id": name} for name in sorted(files)],
        "mentions": [{"@id": action["@id"]} for action in actions],
    }
    if cited.identifier:
        root["identifier"] = cited.identifier
    about = {
        "@id": "ro-crate-metadata.json",
        "@type": "CreativeWork",
        "about": {"@id": "./"},
        "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
    }
    parts = [_file(name, data) for name, data in sorted(files.items())]
    program["softwareVersion"] = ", ".join(versions) or "unknown"
    graph = [about, root, *parts, *creators, publisher, licence, program, *actions]
    return {"@context": "https://w3id.org/ro/crate/1.1/context", "@graph": graph}


def _creator(creator: Creator) -> dict[str, str]:
    kind = "Person" if creator.is_person else "Organization"
    identifier = f"https://orcid.org/{creator.orcid}" if creator.orcid else f"#{creator.name.replace(' ', '-')}"
    return {"@id": identifier, "@type": kind, "name": creator.name}


def _file(name: str, data: bytes) -> dict[str, Any]:
    media = MEDIA_TYPES.get(name.rpartition(".")[2], "text/plain")
    return {
        "@id": name,
        "@type": "File",
        "name": name.rpartition("/")[2],
        "contentSize": str(len(data)),
        "encodingFormat": media,
    }


def _action(facts: Facts) -> dict[str, Any]:
    """A sweep: what ran, when, and by which frozen plan."""
    return {
        "@id": f"#sweep-{facts.sweep}",
        "@type": "CreateAction",
        "name": f"Sweep {facts.sweep}",
        "instrument": {"@id": PROGRAM},
        "startTime": facts.about["started_at"].isoformat(),
        "endTime": facts.about["finished_at"].isoformat(),
        "result": {"@id": "./"},
        "description": f"Plan {facts.about['plan_digest']}",
    }
