"""The kinds of databases that the program reads; each is a key of `[geo]`."""

from enum import StrEnum


class DatabaseKind(StrEnum):
    """What a database says of an address."""

    COUNTRY = "country"
    ASN = "asn"
    ANNOUNCED = "announced"
