"""The trials of the rules are those of today's captures."""

from dataclasses import replace

from pipeline.enrich import ruleset
from tests.captures import FIXTURES, name
from tests.enrich import trials
from tools import trials_file


def test_the_file_is_current() -> None:
    """`data/reference/trials.toml` is what the captures give: `make docs` writes it."""
    assert ruleset.TRIALS.read_text("utf-8") == trials_file.page()


def test_every_capture_is_a_known_product() -> None:
    """Each capture but that of several servers is of one product of `tests/data/products.toml`; each of these is captured."""
    captured = {trials.product_of(name(row)).name for row in FIXTURES if name(row) != "transient-rejections"}
    assert captured == {product.name for product in trials.products()}


def test_a_wrong_rule_would_be_counted() -> None:
    """A product that were something else than rules say would be counted as wrong, for names, mismatches and suspicions."""
    rules = ruleset.load()
    results = trials.said(rules)
    assert not any(trial.wrong for trial in trials.suspicions(rules, results).values())
    honest = trials.Product("honest", ("honeypot",), toolkit="go-netdicom")
    other = [replace(one, answer=replace(one.answer, product=honest)) for one in results if one.answer.product.honeypot]
    marked = {id for id, trial in trials.suspicions(rules, other).items() if trial.wrong}
    assert marked == {"dicompot", "class-uid-missing", "echo-without-sop-class"}
