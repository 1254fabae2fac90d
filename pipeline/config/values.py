"""The kinds of values that keys of configurations have, with their limits, and what every section is."""

from typing import Annotated

import msgspec
from msgspec import Meta

#: PS3.8 §9.3.2: an AE title has at most 16 characters of the default repertoire, no backslash, and no space at either end.
AeTitle = Annotated[
    str,
    Meta(
        pattern=r"^(?! )[\x20-\x5b\x5d-\x7e]{1,16}(?<! )$",
        description="an AE title: 1 to 16 ASCII characters without a backslash, and no space at either end",
    ),
]
Name = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9][a-z0-9-]{0,39}$",
        description="a name: 1 to 40 lower-case letters, digits and hyphens, a letter or digit first",
    ),
]
Port = Annotated[int, Meta(ge=1, le=65535)]
#: Text that fits on one line of a page or a file.
Line = Annotated[
    str,
    Meta(pattern=r"^[^\x00-\x1f\x7f]*$", max_length=500, description="a text on one line, of at most 500 characters"),
]
Url = Annotated[
    str,
    Meta(
        pattern=r"^(https?://[^\s/?#@\x00-\x1f\x7f]+[^\s\x00-\x1f\x7f]*)?$",
        max_length=500,
        description="a URL that begins with https:// or http://",
    ),
]
Endpoint = Annotated[
    str, Meta(pattern=r"^\d{1,3}(\.\d{1,3}){3}:\d{1,5}$", description='an address and a port, e.g. "192.0.2.7:104"')
]
Resolver = Annotated[
    str,
    Meta(
        pattern=r"^(\d{1,3}(\.\d{1,3}){3}(:\d{1,5})?)?$",
        description='an address, e.g. "192.0.2.53" or "192.0.2.53:5353"',
    ),
]
Mac = Annotated[
    str,
    Meta(
        pattern=r"^([0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5})?$",
        description='a hardware address, e.g. "02:00:00:00:00:01"',
    ),
]


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A section of the file: unknown keys are refused."""
