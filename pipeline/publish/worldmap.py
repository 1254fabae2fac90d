"""The world maps: services per country, and addresses with a service per million probed, in classes. No network is used.

Countries without an address in the target space are hatched; small territories are dots. `land` draws them.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec

from pipeline.publish.countries import countries, name
from pipeline.publish.data import Row
from pipeline.publish.drawing import LAND
from pipeline.publish.undoubted import WITHHELD, both, both_of, leading
from pipeline.publish.wording import number

#: The number of countries in the text for screen readers.
SPOKEN = 20
NOTHING, NOT_PROBED = "none found", "not probed"
#: Stands for the hatch of `NOT_PROBED` until the map is drawn.
HATCHED = "#f1f3f5"
#: From many to none; then for countries without an address in the target space.
COLOURS = ("#08457e", "#2171b5", "#5ba3d0", "#a9cce6", LAND, HATCHED)


@dataclass(frozen=True, slots=True)
class Measure:
    """What a map shows of a row of mart `countries`: its value, both numbers as text, its titles, and its classes.

    `classes` has the smallest value of each class and its label, the greatest first; a value below all of them is `NOTHING`.
    """

    file: str
    value: Callable[[Row], float | None]
    both: Callable[[Row], str]
    choice: str
    title: str
    note: str
    classes: tuple[tuple[float, str], ...]

    @property
    def legend(self) -> list[tuple[str, str]]:
        """Label and colour of each class, and of the countries that were not probed."""
        return list(zip([*(label for _, label in self.classes), NOTHING, NOT_PROBED], COLOURS, strict=True))

    def level(self, value: float | None) -> str:
        """The class of a value."""
        return next((label for minimum, label in self.classes if value and value >= minimum), NOTHING)


def _rate(row: Row) -> float | None:
    """Addresses with a service besides likely decoys, of a million; those with any service if that is withheld."""
    rate: float | None = row["per_million"] if row["per_million_undoubted"] is None else row["per_million_undoubted"]
    return rate


def _both_rates(row: Row) -> str:
    """The rate without likely decoys, and with them if it is another one."""
    return both_of(row["per_million_undoubted"], row["per_million"])


SERVICES = Measure(
    "map", leading, both, "Services", "DICOM services",
    f"Services without likely decoys. {WITHHELD} Hatched: no address was probed. Dots: too small for an outline.",
    ((1000, "1,000 and more"), (100, "100–999"), (10, "10–99"), (1, "1–9")),
)  # fmt: skip
PER_MILLION = Measure(
    "map-per-million", _rate, _both_rates, "Per million addresses", "Addresses with a DICOM service, per million probed",
    f"Without likely decoys. {WITHHELD} Hatched: no address was probed. Where few were, one more makes a large difference.",
    ((100, "100 and more"), (10, "10 to 100"), (1, "1 to 10"), (0, "under 1")),
)  # fmt: skip
MEASURES = (SERVICES, PER_MILLION)


def drawable() -> bool:
    """Whether the packages of the extra `plots` are installed: without them there is no map, and no picture."""
    return find_spec("altair") is not None and find_spec("vl_convert") is not None


def spoken(rows: Sequence[Row], measure: Measure) -> str:
    """The text of the map for screen readers: the countries with the greatest numbers; the table has the others."""
    probed = sum(row["country"] in countries() for row in rows)
    counted = sorted(_shown(rows), key=lambda row: -(measure.value(row) or 0))
    values = "; ".join(label(row, measure) for row in counted[:SPOKEN])
    return f"World map. {measure.title}, by country. {values or 'None was found'}. Countries probed: {number(probed)}."


def label(row: Row, measure: Measure) -> str:
    """A country with its number, for screen readers and hints."""
    return f"{name(row['country'])}: {measure.both(row)}"


def _shown(rows: Iterable[Row]) -> Iterator[Row]:
    """The countries that can be drawn, with something to show."""
    return (row for row in rows if row["country"] in countries() and row["services"])
