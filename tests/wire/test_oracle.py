"""pynetdicom's codec compared with ours: both read what pynetdicom encodes, and what it soundly accepts, identically."""

import logging
import random
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pynetdicom import pdu, pdu_primitives
from pynetdicom.presentation import PresentationContext

from pipeline.wire.pdu import Frame, decode, frame
from pipeline.wire.warning import Verdict
from tests.every import every
from tests.wire import oracle
from tests.wire.reference import Row, read
from tests.wire.rows import ACCEPTS, row
from tests.wire.vectors import FULL_ACCEPT, FULL_REQUEST, ORDINARY

pytestmark = pytest.mark.filterwarnings("ignore:.*[Ii]nvalid value for VR UI")


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Keep pynetdicom from logging each byte that it cannot read."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


COMPONENT = st.integers(0, 10**9).map(str)
UIDS = st.lists(COMPONENT, min_size=1, max_size=5).map(lambda parts: ".".join(["1", "2", *parts]))
TITLES = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="\\"), min_size=1, max_size=16
)
FIELDS = st.binary(min_size=1, max_size=40)
SYNTAXES = st.lists(UIDS, min_size=1, max_size=4, unique=True)


def primitive(name: str, **fields: Any) -> Any:
    """A pynetdicom primitive with these fields."""
    value = getattr(pdu_primitives, name)()
    for field, content in fields.items():
        setattr(value, field, content)
    return value


def made(name: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Primitives of a kind with any fields."""
    return st.fixed_dictionaries(fields).map(lambda drawn: primitive(name, **drawn))


MANDATORY = (
    made("MaximumLengthNotification", maximum_length_received=st.integers(0, 2**32 - 1)),
    made("ImplementationClassUIDNotification", implementation_class_uid=UIDS),
)
VERSION_NAME = made("ImplementationVersionNameNotification", implementation_version_name=TITLES)
WINDOW = made(
    "AsynchronousOperationsWindowNegotiation",
    maximum_number_operations_invoked=st.integers(0, 65535),
    maximum_number_operations_performed=st.integers(0, 65535),
)
ROLE = st.builds(
    lambda uid, roles: primitive(
        "SCP_SCU_RoleSelectionNegotiation", sop_class_uid=uid, scu_role=roles[0], scp_role=roles[1]
    ),
    UIDS,
    st.sampled_from([(True, False), (False, True), (True, True)]),
)
EXTENDED = made("SOPClassExtendedNegotiation", sop_class_uid=UIDS, service_class_application_information=FIELDS)
COMMON = made(
    "SOPClassCommonExtendedNegotiation",
    sop_class_uid=UIDS,
    service_class_uid=UIDS,
    related_general_sop_class_identification=st.lists(UIDS, max_size=3),
)
IDENTITY = made(
    "UserIdentityNegotiation",
    user_identity_type=st.integers(1, 5),
    positive_response_requested=st.booleans(),
    primary_field=FIELDS,
    secondary_field=FIELDS,
)
RESPONSE = made("UserIdentityNegotiation", server_response=FIELDS)

ONCE = (VERSION_NAME, WINDOW)
MANY = (st.lists(ROLE, max_size=2), st.lists(EXTENDED, max_size=2))


@st.composite
def information(draw: st.DrawFn, *others: st.SearchStrategy[Any]) -> list[Any]:
    """The primitives of a user information, in any order."""
    parts = [draw(part) for part in MANDATORY]
    parts += [draw(part) for part in (*ONCE, *others) if draw(st.booleans())]
    parts += [part for many in MANY for part in draw(many)]
    return draw(st.permutations(parts))


def context(number: int, abstract: str, syntaxes: list[str], result: int | None = None) -> PresentationContext:
    """A pynetdicom presentation context."""
    value = PresentationContext()
    value.context_id, value.abstract_syntax, value.transfer_syntax = number, abstract, syntaxes
    value.result = result
    return value


IDS = st.lists(st.integers(0, 127).map(lambda half: 2 * half + 1), min_size=1, max_size=8, unique=True)


@st.composite
def accepts(draw: st.DrawFn) -> bytes:
    """The bytes of an A-ASSOCIATE-AC as pynetdicom encodes it."""
    contexts = [context(number, draw(UIDS), [draw(UIDS)], draw(st.integers(0, 4))) for number in draw(IDS)]
    value = _association(draw, draw(information(RESPONSE)))
    value.presentation_context_definition_results_list = contexts
    return _encoded(pdu.A_ASSOCIATE_AC(), value)


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """The bytes of an A-ASSOCIATE-RQ as pynetdicom encodes it."""
    contexts = [context(number, draw(UIDS), draw(SYNTAXES)) for number in draw(IDS)]
    value = _association(draw, draw(information(IDENTITY, COMMON)))
    value.presentation_context_definition_list = contexts
    return _encoded(pdu.A_ASSOCIATE_RQ(), value)


def _association(draw: st.DrawFn, user: list[Any]) -> Any:
    return primitive(
        "A_ASSOCIATE",
        application_context_name="1.2.840.10008.3.1.1.1",
        called_ae_title=draw(TITLES),
        calling_ae_title=draw(TITLES),
        user_information=user,
    )


def _encoded(empty: Any, value: Any) -> bytes:
    empty.from_primitive(value)
    return bytes(empty.encode())


def trimmed(fields: Row) -> Row:
    """A row with its AE titles as pynetdicom gives them."""
    return fields | {name: fields[name].strip() for name in ("called_ae", "calling_ae")}


@settings(max_examples=200)
@given(accepts() | requests())
def test_what_it_encodes_all_read_identically(data: bytes) -> None:
    """For any contexts and sub-items that pynetdicom encodes, all three decoders read every field alike."""
    assert row(data) == read(data)
    assert trimmed(row(data)) == oracle.read(data)
    assert decode(Frame(data[0], data[6:])).verdict is Verdict.SOUND


@every("data", [*ACCEPTS, ORDINARY, FULL_ACCEPT, FULL_REQUEST], ids=lambda data: data.hex()[:24])
def test_real_products(data: bytes) -> None:
    """Acceptances that pynetdicom reads, we read identically; acceptances that pynetdicom refuses are not sound to us either."""
    theirs = oracle.read(data)
    if theirs is None:
        assert decode(Frame(data[0], data[6:])).verdict is not Verdict.SOUND
    else:
        assert trimmed(row(data)) == theirs


def agrees(data: bytes) -> bool:
    """Whether both pynetdicom and we accept the bytes; if so, both must read the same."""
    whole = frame(data)
    theirs = oracle.read(data)
    if theirs is None or not isinstance(whole, Frame) or decode(whole).warnings:
        return False
    # The syntax of a refused context is not significant: we keep it, sanitised, and do not judge it. pynetdicom drops
    # bytes at its ends that Unicode calls white space.
    ours = trimmed(row(data))
    for fields in (ours, theirs):
        fields["contexts"] = [[number, result, tame(syntax)] for number, result, syntax in fields["contexts"]]
    assert ours == theirs
    return True


def tame(text: str) -> str:
    """A text as we keep it (sanitised), without what is replaced at its ends."""
    return re.sub("[^ -~]", "\ufffd", text.rstrip(" \0")).strip("\ufffd")


def test_mutants() -> None:
    """If pynetdicom accepts a changed acceptance that is sound to us, both read the same fields."""
    chance = random.Random(20)
    vectors = [*ACCEPTS, *[FULL_ACCEPT] * 20]

    def mutant() -> bytes:
        data = bytearray(chance.choice(vectors))
        data[chance.randrange(42, len(data))] = chance.randrange(256)
        return bytes(data)

    assert sum(agrees(mutant()) for _ in range(2000)) > 400


@every("data", [*ACCEPTS, FULL_ACCEPT], ids=lambda data: data.hex()[:24])
def test_what_it_accepts_cut_we_do_not(data: bytes) -> None:
    """If pynetdicom accepts a truncated acceptance, we wait for more, or find it broken or odd."""
    accepted = [end for end in range(len(data)) if oracle.read(data[:end] or b"\2") is not None]
    assert accepted
    assert all(frame(data[:end]) is None for end in accepted)
    assert all(decode(Frame(2, data[6:end])).verdict is not Verdict.SOUND for end in accepted)
