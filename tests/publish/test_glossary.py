"""The glossary of a report."""

from pipeline.publish import glossary


def test_terms_are_in_order_and_explained() -> None:
    """Terms are in alphabetic order, each once, each with a sentence."""
    terms = [term for term, _ in glossary.TERMS]
    assert terms == sorted(set(terms), key=str.casefold)
    assert all(text.endswith(".") for _, text in glossary.TERMS)
