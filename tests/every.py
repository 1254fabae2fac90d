"""A fact of many cases as one test, which names each case that fails.

As a test of its own, a case takes longer to be collected by every worker and reported than it takes to run. So a table of cases that
share no state is one test; `pytest.mark.parametrize` is for few cases, and for those that need fixtures of their own.
"""

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import pytest

Test = Callable[..., None]
#: Failures that are shown whole, and characters of a case's name; all cases that fail are named.
SHOWN, NAME_LENGTH = 5, 80


def every(
    names: str | tuple[str, ...], cases: Iterable[Any], ids: Sequence[str] | Callable[[Any], object] = repr
) -> Callable[[Test], Test]:
    """Call the test with each case, as `pytest.mark.parametrize` with the same arguments would, but in one test.

    It fails if a case fails, with an exception group that names all cases that do, and if there is no case.
    """
    known = (names,) if isinstance(names, str) else names
    rows = [(case,) if isinstance(names, str) else tuple(case) for case in cases]

    def decorate(test: Test) -> Test:
        @functools.wraps(test)
        def of_every_case(**fixtures: Any) -> None:
            assert rows, "there is no case"
            calls = (fixtures | dict(zip(known, row, strict=True)) for row in rows)
            failed = {_name(at, rows[at], ids): error for at, error in _failures(test, calls)}
            for name, error in failed.items():
                error.add_note(f"case {name}")
            if failed:
                text = f"{len(failed)} of {len(rows)} cases fail: {', '.join(failed)}"
                raise BaseExceptionGroup(text, list(failed.values())[:SHOWN])

        signature = inspect.signature(test)
        fixtures = [parameter for parameter in signature.parameters.values() if parameter.name not in known]
        of_every_case.__signature__ = signature.replace(parameters=fixtures)  # pytest looks these up, and no case
        return of_every_case

    return decorate


def _failures(test: Test, calls: Iterable[dict[str, Any]]) -> Iterator[tuple[int, BaseException]]:
    """The numbers of the calls that fail, and how they do."""
    for at, arguments in enumerate(calls):
        try:
            test(**arguments)
        except (Exception, pytest.fail.Exception) as error:
            yield at, error


def _name(at: int, row: tuple[Any, ...], ids: Sequence[str] | Callable[[Any], object]) -> str:
    """What a case is called; its number keeps two cases of one name apart."""
    text = "-".join(str(ids(value)) for value in row) if callable(ids) else ids[at]
    return f"{at} ({text[:NAME_LENGTH]})"
