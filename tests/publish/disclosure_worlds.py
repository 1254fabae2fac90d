"""Made-up services of many countries, large and small, and the marts of them, in plain Python."""

import random
from collections import Counter
from typing import Any

from pipeline.publish.disclosure import disclosed
from pipeline.publish.withheld_facts import NOTHING, Withheld, withheld

SWEEP = "s1"
ANSWERS = ("echoed", "accepted", "called", "calling", "otherwise", "aborted")
REJECTED = ("called", "calling", "otherwise")
ACCEPTED, AGES = ("echoed", "accepted"), ("old", "young", "unknown")
#: Marts whose rows name their sweep.
OF_SWEEP = ("countries", "ae_control", "country_trend")
#: The counts of each mart that has a row for each country.
COLUMNS = {
    "countries": ("services", "addresses", "accepting", "echoed", "rejected", "aborted", "decoys", "addresses_undoubted", "crowding"),
    "ae_control": (
        "services", "accepting", "anyone", "rejected_called", "rejected_calling", "rejected_otherwise", "aborted", "open_share",
    ),
    "country_trend": ("services", "accepting", "decoys"),
    "doubts": ("services", "honeypot", "answers_everything", "odd", "unsuspected"),
    "rates": ("services", "undoubted", "addresses", "addresses_undoubted"),
    "software_ages": ("services", "undoubted", "dated", "undated", "older", "median_age"),
    "ports": ("services", "accepting"),
}  # fmt: skip
Row = dict[str, Any]
#: Country, answer, whether it is a decoy, port, and what is known of the age of its version.
Service = tuple[str | None, str, bool, int, str]
#: Marts with a row of all countries together.
TOGETHER = ("rates", "software_ages")
#: Countries with few services are as many as they are on the Internet.
SIZES = (400, 120, 60, 41, 22, 13, 9, 7, 5, 4, 3, 3, 2, 1, 1)


def services(draw: random.Random) -> list[Service]:
    """Services of several countries; only those that accept declare a version."""
    sizes = draw.sample(SIZES, draw.randint(2, len(SIZES)))
    weights = [draw.choice((0, 1, 10, 60)) + draw.random() for _ in ANSWERS]
    decoys = draw.choice((0.01, 0.05, 0.3))
    made = [
        (
            f"C{n:02}",
            *draw.choices(ANSWERS, weights),
            draw.random() < decoys * (n % 3),
            draw.choice((104, 104, 104, 11112)),
        )
        for n, size in enumerate(sizes)
        for _ in range(size)
    ]
    age = random.Random(len(made))
    weights = [age.choice((0, 1, 10)) + age.random() for _ in AGES]
    return [(*service, *(age.choices(AGES, weights) if service[1] in ACCEPTED else ("unknown",))) for service in made]


def marts(made: list[Service]) -> dict[str, list[Row]]:
    """The marts of the services, as they are before disclosure control."""
    places = sorted({country for country, *_ in made}, key=str)
    lines = {place: _counts([service for service in made if service[0] == place]) for place in places}
    whole = _counts(made)
    titles = Counter(answer for _, answer, *_ in made)
    return {
        **{mart: [_row(mart, place, row) for place, row in lines.items()] for mart in (*OF_SWEEP, "doubts")},
        **{
            mart: [_row(mart, place, row) | {"of_all": place is None} for place, row in [(None, whole), *lines.items()]]
            for mart in TOGETHER
        },
        "ports": [
            _row("ports", place, _counts([s for s in made if s[0] == place and s[3] == port])) | {"port": port}
            for place in places for port in (104, 11112)
        ],
        "country_funnel": [{"country": place} | step for place, row in lines.items() for step in _steps(row)],
        "totals": [{column: whole[column] for column in COLUMNS["countries"] if column != "addresses_undoubted"}],
        "trend": [{"sweep": SWEEP, **{column: whole[column] for column in COLUMNS["country_trend"]}}],
        "funnel": _steps(whole),
        "rejections": [
            {"rj_source": 1, "rj_reason": {"called": 7, "calling": 3}.get(name, 1), "services": titles[name]} for name in REJECTED
        ],
    }  # fmt: skip


def _row(mart: str, country: object, counts: Row) -> Row:
    """The row of a country in a mart."""
    own = {"sweep": SWEEP} if mart in OF_SWEEP else {}
    return own | {"country": country} | {column: counts[column] for column in COLUMNS[mart]}


def published(made: list[Service], least: int, *, complemented: bool = True) -> dict[str, list[Row]]:
    """What is published of the services; if it is not complemented, each mart is only rid of its own small cells."""
    rows = marts(made)
    hidden: Withheld = withheld(rows, least) if complemented else NOTHING
    return {
        name: disclosed(name, each, least, edition=False, hidden=hidden, of=(SWEEP, None))
        for name, each in rows.items()
    }


def _counts(made: list[Service]) -> Row:
    answers = Counter(answer for _, answer, *_ in made)
    decoys = sum(decoy for _, _, decoy, *_ in made)
    ages = Counter(age for _, _, decoy, _, age in made if not decoy)
    accepting, genuine = answers["echoed"] + answers["accepted"], len(made) - decoys
    row = {
        "services": len(made), "addresses": len(made), "accepting": accepting, "anyone": accepting, "echoed": answers["echoed"],
        "rejected": sum(answers[name] for name in REJECTED), "aborted": answers["aborted"], "open_share": None, "decoys": decoys,
        "addresses_undoubted": genuine, "undoubted": genuine, "crowding": 1.0, "median_age": 4.0,
        "dated": ages["old"] + ages["young"], "undated": ages["unknown"], "older": ages["old"],
        "honeypot": decoys, "answers_everything": 0, "odd": 0, "unsuspected": genuine,
    }  # fmt: skip
    return row | {f"rejected_{name}": answers[name] for name in REJECTED}


def _steps(row: Row) -> list[Row]:
    names = {"speaks_dicom": "services", "accepts_association": "accepting", "echoes": "echoed"}
    return [{"step": step, "targets": row[column]} for step, column in names.items()]
