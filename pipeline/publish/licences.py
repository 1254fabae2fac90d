"""The licences that a laboratory may choose for its data, by their SPDX ids (https://spdx.org/licenses/)."""

from dataclasses import dataclass
from types import MappingProxyType

from pipeline.errors import InputError
from pipeline.untrusted.visible import visible


@dataclass(frozen=True, slots=True)
class Licence:
    """A licence of data: its SPDX identifier, its name for people, and the page that has its text."""

    id: str
    name: str
    url: str


#: By SPDX identifier. All are for data, or for works of any kind.
LICENCES = MappingProxyType(
    {
        spdx: Licence(spdx, name, url)
        for spdx, name, url in (
            ("CC0-1.0", "CC0 1.0", "https://creativecommons.org/publicdomain/zero/1.0/"),
            ("CC-BY-4.0", "CC BY 4.0", "https://creativecommons.org/licenses/by/4.0/"),
            ("CC-BY-SA-4.0", "CC BY-SA 4.0", "https://creativecommons.org/licenses/by-sa/4.0/"),
            ("CC-BY-NC-4.0", "CC BY-NC 4.0", "https://creativecommons.org/licenses/by-nc/4.0/"),
            ("CC-BY-NC-SA-4.0", "CC BY-NC-SA 4.0", "https://creativecommons.org/licenses/by-nc-sa/4.0/"),
            ("CDLA-Permissive-2.0", "CDLA Permissive 2.0", "https://cdla.dev/permissive-2-0/"),
            ("CDLA-Sharing-1.0", "CDLA Sharing 1.0", "https://cdla.dev/sharing-1-0/"),
            ("ODC-By-1.0", "ODC-By 1.0", "https://opendatacommons.org/licenses/by/1-0/"),
            ("ODbL-1.0", "ODbL 1.0", "https://opendatacommons.org/licenses/odbl/1-0/"),
            ("PDDL-1.0", "PDDL 1.0", "https://opendatacommons.org/licenses/pddl/1-0/"),
        )
    }
)


def licence(spdx: str) -> Licence:
    """Return a licence by its id in any case. Raises InputError without one, or for another one."""
    known = {name.lower(): named for name, named in LICENCES.items()}
    listed = ", ".join(LICENCES)
    if not spdx:
        raise InputError("--licence", f"which licence the data get is the laboratory's choice; name one of {listed}")
    if spdx.lower() not in known:
        raise InputError("--licence", f"{visible(spdx)} is not the SPDX id of a licence for data; name one of {listed}")
    return known[spdx.lower()]
