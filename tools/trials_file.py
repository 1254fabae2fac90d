"""How often each rule is wrong, `data/reference/trials.toml`, from the rules and the captures of known products.

python -m tools.trials_file
"""

from collections.abc import Iterator, Mapping

from pipeline.enrich import ruleset
from tests.enrich import trials
from tests.enrich.trials import Trial

HEAD = """# How many captures of known products each rule was tried on, and how many of them it got wrong (docs/fingerprints.md).
# Made from the rules and the tests' captures by `make docs`; a test compares them. A rule that is not here was tried on none.
"""


def page() -> str:
    """The whole file."""
    rules = ruleset.load()
    results = trials.said(rules)
    captures = len({one.answer.capture for one in results})
    sections: dict[str, Mapping[str, Trial]] = {
        "identity": trials.identities(rules, results),
        "mismatch": trials.mismatches(rules, results),
        "suspicion": trials.suspicions(rules, results),
    }
    return "".join([HEAD, f"captures = {captures}\n", *(line for part in sections.items() for line in _section(*part))])


def _section(name: str, found: Mapping[str, Trial]) -> Iterator[str]:
    yield f"\n[{name}]\n"
    for id, trial in found.items():
        if trial.tried:
            yield f"{id} = {{ tried = {len(trial.tried)}, wrong = {len(trial.wrong)} }}\n"


if __name__ == "__main__":
    ruleset.TRIALS.write_text(page(), "utf-8")
