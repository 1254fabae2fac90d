"""Owners: the rules, and the table that they make."""

import tomllib
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline import schema
from pipeline.enrich import owner

RULES = owner.load()


@pytest.mark.parametrize(
    ("field", "name", "country", "rule"),
    [
        ("host", "pacs.rf.trust.nhs.uk", "GB", "uk-nhs-name"),
        ("host", "nhs.uk.evil.example", "GB", None),
        ("host", "gateway.hscn.nhs.uk", "GB", "uk-nhs-name"),
        ("host", "pacs.board.nhs.scot", "GB", "uk-nhs-name"),
        ("host", "notnhs.uk", "GB", None),
        ("host", "ae1.london-ban3.ja.net", "GB", "uk-janet-name"),
        ("host", "ninja.net", "GB", None),
        ("host", "pacs.chu-x.example", "FR", "hospital-name"),
        ("host", "mail.church.example", "US", None),
        ("host", "pms.hospitality-group.example", "US", None),
        ("host", "ajuntament.hospitalet.example", "ES", None),
        ("host", "st-mary-hospital.example", "GB", "hospital-name"),
        ("host", "x.radiology.example.edu", "US", "academic-name"),
        ("host", "klinikum-north.example", "DE", "hospital-name"),
        ("host", "dsl-12-34.example", "DE", "access-name"),
        ("host", "va.gov", "US", "us-government-name"),
        ("host", "pacs.va.gov", "US", "us-government-name"),
        ("certificate", "Some NHS Foundation Trust", "GB", "uk-nhs-certificate"),
        ("certificate", "Some NHS Foundation Trust", "FR", None),
        ("certificate", "Hospital Clinic", "ES", "hospital-certificate"),
        ("organisation", "Jisc Services Limited", "GB", "uk-janet"),
        ("organisation", "HSCN example provider", "GB", "uk-hscn"),
        ("organisation", "Universitätsklinikum X", "DE", None),
        ("organisation", "Klinikum X", "DE", "hospital-network"),
        ("organisation", "DFN Verein", "DE", "german-research-network"),
        ("organisation", "SURF B.V.", "NL", "dutch-research-network"),
        ("organisation", "SURFnet", "NL", "dutch-research-network"),
        ("organisation", "Surf Internet", "US", None),
        ("organisation", "Surfshark Ltd.", "NL", None),
        ("organisation", "SURF B.V.", "US", None),
        ("organisation", "Old School Hosting", "US", "hosting-network"),
        ("organisation", "College Broadband Inc", "US", "access-network"),
        ("organisation", "London School of Economics", "GB", "research-network"),
        ("organisation", "Springfield Public Schools", "US", "research-network"),
        ("organisation", "Imperial College of Science", "GB", "research-network"),
        ("organisation", "GARR Logistics", "US", None),
        ("organisation", "Consortium GARR", "IT", "italian-research-network"),
        ("certificate", "Old School Games", "US", None),
        ("certificate", "Harvard Medical School", "US", "university-certificate"),
        ("organisation", "SWITCH", "CH", "swiss-research-network"),
        ("organisation", "Switch, Ltd", "US", None),
        ("organisation", "Federal Express Corp", "US", None),
        ("organisation", "NHS-SCOTLAND", "GB", "uk-hscn"),
        ("organisation", "AMAZON-02", "US", "cloud"),
        ("organisation", "Example Datacenter BV", "NL", "hosting-network"),
        ("organisation", "Deutsche Telekom AG", "DE", "access-network"),
        ("organisation", "Nhsomething", "GB", None),
        ("organisation", "x" * 300 + " hospital", "GB", None),
    ],
)
def test_rules(field: str, name: str, country: str, rule: str | None) -> None:
    """Each example name matches its rule, and look-alikes match none."""
    result = RULES.match({field: [name]}, country)
    assert (result.id if result else None) == rule


def test_hosts_come_before_certificates_before_networks() -> None:
    """The most reliable field decides, whatever the order of the file."""
    names = {"organisation": ["AMAZON-02"], "certificate": ["Hospital"], "host": ["a.ac.uk"]}
    assert [
        RULES.match({key: names[key] for key in keys}, "GB").id for keys in (names, ["organisation", "certificate"])
    ] == [
        "academic-name",
        "hospital-certificate",
    ]


def test_every_rule_has_its_evidence() -> None:
    """Rules have unique ids, and each has a reason."""
    entries = tomllib.loads(owner.RULES.read_text("utf-8"))["rule"]
    assert len({entry["id"] for entry in entries}) == len(entries)
    assert all(len(entry["evidence"]) > 20 for entry in entries)


def test_a_wrong_rule_is_refused(tmp_path: Path) -> None:
    """A sector outside the closed set is refused, naming rule, key and value."""
    path = tmp_path / "owners.toml"
    path.write_text('[[rule]]\nid="x"\nsector="zoo"\nfield="host"\npattern="a"\nconfidence="weak"\nevidence="-"\n')
    with pytest.raises(ValueError, match="rule x, key sector: 'zoo'"):
        owner.load(path)


def test_rules_over_holders_say_what_the_network_is(tmp_path: Path) -> None:
    """Each rule on organisations has a kind of the closed set, and no other rule has one."""
    assert {rule.kind for rule in RULES.rules if rule.field == "organisation"} == set(owner.KINDS)
    assert {rule.kind for rule in RULES.rules if rule.field != "organisation"} == {""}
    path = tmp_path / "owners.toml"
    text = '[[rule]]\nid="x"\nsector="access"\nfield="{}"\nkind="{}"\npattern="a"\nconfidence="weak"\nevidence="-"\n'
    for field, kind in (("organisation", "zoo"), ("host", "access"), ("organisation", "")):
        path.write_text(text.format(field, kind))
        owner.load.cache_clear()
        with pytest.raises(ValueError, match="rule x, key kind"):
            owner.load(path)


def test_the_table() -> None:
    """One row for each address, with sector, rule, field and confidence; unknown if no rule matches."""
    locations = pa.table(
        {"ip": [1, 2, 3], "country": ["GB", "GB", None], "organisation": ["Jisc Services", None, "nobody"]}
    )
    leaf = {"subject_organization": "Example NHS Trust", "subject": "", "san": []}
    tls = pa.Table.from_pylist([{"ip": 2, "chain": [leaf]}, {"ip": 3, "chain": []}])
    named = pa.table({"ip": [2, 3, 9], "names": [[], ["pacs.clinic.example"], ["a.nhs.uk"]]})
    result = owner.owners(pa.chunked_array([pa.array([3, 1, 1, 2], pa.uint32())]), locations, tls, named, RULES)
    assert result.schema.equals(schema.table("owners").arrow)
    assert [(r["ip"], r["sector"], r["rule"], r["field"], r["confidence"]) for r in result.to_pylist()] == [
        (1, "education", "uk-janet", "organisation", "medium"),
        (2, "healthcare", "uk-nhs-certificate", "certificate", "strong"),
        (3, "healthcare", "hospital-name", "host", "medium"),
    ]
