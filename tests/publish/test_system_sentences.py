"""What a report says of systems over time."""

from dataclasses import replace

from pipeline.publish import cells, system_sentences
from pipeline.publish.scope import Scope
from tests.publish.history import gathered

LAST = "20260629T030000Z-weekly"
#: How often the rule errs, as keys may show it.
JUDGED = {
    "sweep": LAST, "link_recall": 0.631, "link_recall_low": 0.5, "link_recall_high": 0.75, "link_precision": 0.98,
    "link_precision_low": 0.9, "link_precision_high": 1.0,
}  # fmt: skip


def test_systems_stay_move_and_end() -> None:
    """A report says how many systems stayed, moved and ended, with both bounds, and what share exists; addresses do not end."""
    moved, ended, exists = system_sentences.sentences(gathered(LAST))
    assert moved == (
        "Of 127 systems without likely decoys, one for each address, 123 stayed at their address, none had moved by their certificate "
        "key, 1 had moved by identity and behaviour, and 3 are not recognised from before."
    )
    assert ended == (
        "Of 133 systems of two sweeps ago, 7 were recognised at no address since; with what the rule misses and confuses, between 2 "
        "and 7 ended. How often the rule errs is not known: too few systems with a certificate key moved."
    )
    assert exists.startswith(
        "Of 145 systems seen on 2026-06-01, an estimated 85.3 % still existed on 2026-06-22, at that or another"
    )


def test_the_error_of_links_is_beside_the_number() -> None:
    """Where keys judge the rule, the sentence of what ended has recall and precision with their intervals."""
    facts = gathered(LAST)
    errors = replace(facts.marts["link_errors"], rows=(JUDGED,))
    _, ended, _ = system_sentences.sentences(replace(facts, marts=facts.marts | {"link_errors": errors}))
    assert ended.endswith(
        "Judged by certificate keys, the rule of identity and behaviour recognises 63.1 % of moves (95 % interval 50.0 % to 75.0 %), "
        "and 98.0 % of its links are right (90.0 % to 100.0 %)."
    )


def test_the_second_sweep_has_no_ending_yet() -> None:
    """A system ends two sweeps after it was last seen, so the second sweep of a series says of none that it ended."""
    said = " ".join(system_sentences.sentences(gathered("20260608T030000Z-weekly")))
    assert "stayed at their address" in said and "at no address since" not in said


def test_a_country_has_none() -> None:
    """A country's edition has neither sentences nor tables of systems over time, which would show how many of few are decoys."""
    facts = gathered(LAST, Scope(country="GB"))
    assert not list(system_sentences.sentences(facts))
    assert not {"system_changes", "link_errors", "system_survival"} & {table.mart for table in cells.tables(facts)}
