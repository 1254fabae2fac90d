"""A report's sentences about the harm of its visits."""

from pipeline.publish.harm_sentences import sentences


def rows(**arms: tuple[int, int]) -> list[dict[str, object]]:
    return [{"arm": arm, "ended": gone, "alive": alive} for arm, (gone, alive) in arms.items()]


def test_harm_is_told_from_hosts_that_end_by_themselves() -> None:
    """A fifth silent after a visit and none without one is an effect, of which the cause is not told."""
    (harmed,) = sentences(rows(visited=(51, 249), unvisited=(0, 220)))
    assert "a further 20.48 % of hosts no longer answered this address" in harmed
    assert harmed.endswith("whether they stopped or began to block us.")


def test_no_harm_is_told_up_to_a_margin() -> None:
    """Equal shares exclude harm only in samples that are large enough for the margin; a small sample is too few to tell."""
    (few,) = sentences(rows(visited=(1, 4), unvisited=(0, 5)))
    assert "too few to judge" in few and "is not excluded" in few
    (many,) = sentences(rows(visited=(30, 20_000), unvisited=(31, 20_000)))
    assert "harm above 0." in many and many.endswith("is excluded.") and "95 % interval −" in many


def test_speakers_have_a_bound_of_their_own() -> None:
    """If none of 300 speakers is gone, the bound is 1.22 %, the end of the exact 95 % interval."""
    (told,) = sentences(rows(speaker=(0, 300)))
    assert "0.00 %, with 95 % confidence no more than 1.22 %" in told


def test_no_check_no_sentence() -> None:
    """A sweep without a harm check has no sentence about harm."""
    assert list(sentences([])) == []
