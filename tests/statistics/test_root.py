"""Where increasing functions cross zero."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.statistics.root import Floats, root


def test_each_element_has_a_root_of_its_own() -> None:
    """Roots of an array are those of its elements, to the last bits, whatever shape it has."""
    cubes = np.array([[0.001, 0.3, 0.5], [0.8, 0.999, 1.0]])
    assert np.allclose(root(lambda x, cube: x**3 - cube, 0.0, 1.0, cubes), np.cbrt(cubes), rtol=1e-15, atol=0)


@given(st.floats(1e-9, 1 - 1e-9), st.floats(1e-6, 1e9))
def test_steep_functions(at: float, slope: float) -> None:
    """A function that is flat but for a steep rise, as a distribution of many trials is, is solved where it rises."""
    calls = []

    def rise(x: Floats) -> Floats:
        calls.append(x)
        return np.tanh(slope * (x - at))

    assert abs(root(rise, 0.0, 1.0).item() - at) <= 1e-15
    assert len(calls) < 70


@given(st.floats(0, 0.999999))
def test_a_jump(at: float) -> None:
    """A function that jumps over zero has its root at the jump: halving finds it to the last bit."""
    assert abs(root(lambda x: np.where(x > at, 1.0, -1.0), 0.0, 1.0).item() - at) <= 1e-15


def test_no_crossing() -> None:
    """A function above zero everywhere has its root at the low end, one that never gets there at the high end; NaN stays NaN."""
    shift = np.array([5.0, -5.0, np.nan])
    ends = root(lambda x, shift: x + shift, 0.0, np.where(np.isnan(shift), np.nan, 1.0), shift)
    assert np.array_equal(ends, [0.0, 1.0, np.nan], equal_nan=True)


def test_only_what_is_open_is_asked_about() -> None:
    """Elements whose root is known are left out: a slow one does not make the others wait with it."""
    asked = []

    def function(x: Floats, at: Floats) -> Floats:
        asked.append(len(x))
        return np.where(at < 0.5, x - at, np.where(x > at, 1.0, -1.0))

    root(function, 0.0, 1.0, np.array([0.1, 0.2, 0.3, 0.9]))
    assert asked[0] == 4 and asked[-1] == 1 and len(asked) > 40
