"""A report's sentences about the harm of its visits."""

from pipeline.publish.harm_sentences import sentences


def rows(**arms: tuple[int, int]) -> list[dict[str, object]]:
    return [{"arm": arm, "ended": gone, "alive": alive} for arm, (gone, alive) in arms.items()]


def test_harm_is_told_from_hosts_that_end_by_themselves() -> None:
    """A fifth gone after a visit and none without one is harm; equal shares in both arms are not, and the bound is stated."""
    (harmed,) = sentences(rows(visited=(51, 249), unvisited=(0, 220)))
    assert harmed.endswith(": visits take hosts offline.") and "a further 20.48 % to disappear" in harmed
    (unharmed,) = sentences(rows(visited=(3, 204), unvisited=(5, 190)))
    assert "shows no harm" in unharmed and "95 % interval −" in unharmed


def test_speakers_have_a_bound_of_their_own() -> None:
    """If none of 300 speakers is gone, the bound is 1.22 %, the end of the exact 95 % interval."""
    (told,) = sentences(rows(speaker=(0, 300)))
    assert "0.00 %, with 95 % confidence no more than 1.22 %" in told


def test_no_check_no_sentence() -> None:
    """A sweep without a harm check has no sentence about harm."""
    assert list(sentences([])) == []
