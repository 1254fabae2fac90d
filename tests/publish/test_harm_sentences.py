"""A report's sentences about the harm of its visits."""

from pipeline.publish.harm_sentences import of_arms


def rows(sweep: str = "s1", blocking: int | None = None, **arms: tuple[int, int]) -> list[dict[str, object]]:
    return [
        {"sweep": sweep, "arm": arm, "ended": gone, "alive": alive, "blocking": blocking}
        for arm, (gone, alive) in arms.items()
    ]


def sentences(found: list[dict[str, object]], margin: float | None = 0.01) -> list[str]:
    """The sentences of sweep `s1` by a margin."""
    return list(of_arms(found, "s1", margin))


def test_harm_is_told_from_hosts_that_end_by_themselves() -> None:
    """A fifth silent after a visit and none without one is an effect, of which the least size is stated and the cause is not."""
    (harmed,) = sentences(rows(visited=(51, 249), unvisited=(0, 220)))
    assert (
        "The difference is 20.48 %" in harmed and "after a visit at least 14.68 more of 100 hosts no longer" in harmed
    )
    assert harmed.endswith("answer this address, whether they stopped or block it.")


def test_no_harm_is_told_up_to_the_margin() -> None:
    """Equal shares exclude harm only where the numbers are large enough for the margin that was set; others are too few to judge."""
    (few,) = sentences(rows(visited=(1, 4), unvisited=(0, 5)))
    assert "too few to judge" in few and "is not excluded, and the margin set before the sweep is 1.00 %" in few
    equal = rows(visited=(30, 20_000), unvisited=(31, 20_000))
    (many,) = sentences(equal)
    assert "harm above 0.09 % is excluded, within the margin of 1.00 %" in many and "95 % interval −" in many
    (strict,) = sentences(equal, margin=0.0005)
    assert "too few to judge" in strict and "margin set before the sweep is 0.05 %" in strict


def test_sweeps_of_a_series_add_up() -> None:
    """Ten sweeps exclude what one cannot, by an interval that allows for ten looks."""
    one = rows(visited=(30, 800), unvisited=(31, 800))
    ten = one + [row for week in range(9) for row in rows(f"e{week}", visited=(30, 800), unvisited=(31, 800))]
    assert "too few to judge" in sentences(one)[0]
    (pooled,) = sentences(ten)
    assert pooled.startswith(
        "10 sweeps of this series measured their effect. Of 8,000 hosts that had been visited, 300 no longer"
    )
    assert "within the margin of 1.00 %" in pooled


def test_hosts_that_block_us_are_distinguished() -> None:
    """Silent hosts that answered another address of the census are counted apart, and without them the difference is less."""
    visited, base = rows(blocking=49, visited=(51, 249)), rows(blocking=0, unvisited=(1, 249))
    (harmed, blocked) = sentences(visited + base)
    assert "20.08 %" in harmed
    assert (
        "49 of the visited and 0 of the others answered another address of the census: they block the first." in blocked
    )
    assert "Without them the difference is 0.40 %" in blocked


def test_speakers_have_a_bound_of_their_own() -> None:
    """If none of 300 speakers is gone, the bound is 1.22 %, the end of the exact 95 % interval; those of other sweeps do not count."""
    (told,) = sentences(rows(speaker=(0, 300)) + rows("s0", speaker=(9, 300)))
    assert "0.00 %, with 95 % confidence no more than 1.22 %" in told


def test_no_check_no_sentence() -> None:
    """A sweep without a harm check has no sentence about harm, though earlier sweeps of its series had one."""
    assert sentences(rows("s0", visited=(1, 4), unvisited=(0, 5)), margin=None) == sentences([]) == []
