"""The abstract syntaxes of the profile `capabilities`."""

import re
from pathlib import Path

from pydicom.uid import UID

from pipeline.wire.capabilities import PROPOSALS, context_id
from pipeline.wire.outgoing import TEMPLATE_LIMIT, encode
from pipeline.wire.pdu import HEADER, Frame, Request, decode

MART = Path(__file__).parents[2] / "analysis" / "marts" / "capabilities.sql"


def test_names_are_the_standard_s() -> None:
    """Each UID is an abstract syntax of PS3.6 with the name given for it (compared with pydicom's dictionary)."""
    assert {(each.uid, each.name) for each in PROPOSALS} == {(each.uid, UID(each.uid).name) for each in PROPOSALS}
    assert len({each.uid for each in PROPOSALS}) == len(PROPOSALS)


def test_request_proposes_them_in_order() -> None:
    """The A-ASSOCIATE-RQ has one presentation context for each syntax, with odd ids from 1, and fits a template."""
    data = encode(calling_ae="CENSUS", class_uid="2.25.1", proposed=[each.uid for each in PROPOSALS]).request
    request = decode(Frame(data[0], data[HEADER:]))
    assert isinstance(request, Request) and not request.warnings and len(data) < TEMPLATE_LIMIT
    assert [(context.id, context.abstract_syntax) for context in request.contexts] == [
        (context_id(position), each.uid) for position, each in enumerate(PROPOSALS)
    ]


def test_sql_knows_the_same() -> None:
    """The mart `capabilities` lists the same ids, UIDs, roles and names."""
    listed = re.findall(r"\((\d+), '([\d.]+)', '([^']+)', '([^']+)'\)", MART.read_text())
    assert listed == [(str(context_id(n)), each.uid, each.group, each.name) for n, each in enumerate(PROPOSALS)]
