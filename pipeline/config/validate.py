"""Every fault of a TOML file at once, in words: unknown keys, missing keys, and values that are not what a key takes.

msgspec decides whether a value fits; it stops at the first that does not, so each key is converted by itself. What a key takes
is said by its type: an enum's members, a number's limits, or the description in its `Meta`.
"""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

import msgspec
from msgspec import Meta

#: What people write behind a number, and what it multiplies by.
UNITS = {"k": 10**3, "m": 10**6, "g": 10**9}

#: What TOML calls its simple types.
WORDS: dict[Any, str] = {bool: "true or false", int: "a whole number", float: "a number", str: "a text in quotes"}


class KeyFault(NamedTuple):
    """A key, dotted and with the number of an entry in brackets, what is wrong with it, and what would be right."""

    key: str
    reason: str


def faults(data: Mapping[str, Any], section: type[msgspec.Struct], prefix: str = "") -> Iterator[KeyFault]:
    """Yield every fault of a section as TOML has it, and of the sections in it."""
    fields = {field.encode_name: field for field in msgspec.structs.fields(section)}
    for name in data.keys() - fields.keys():
        yield KeyFault(prefix + name, _unknown(name, section))
    for name, field in fields.items():
        if name in data:
            yield from _of_value(data[name], field.type, prefix + name)
        elif field.required:
            yield KeyFault(prefix + name, f"is missing; give {_expected(field.type)}" + _section_hint(field.type))


def _of_value(value: object, kind: Any, key: str) -> Iterator[KeyFault]:
    section = _section(kind)
    if section and isinstance(value, Mapping):
        yield from faults(value, section, f"{key}.")
    elif isinstance(value, Mapping) and get_origin(_bare(kind)) is dict:
        for name, part in value.items():
            yield from _of_value(part, get_args(_bare(kind))[1], f"{key}.{name}")
    elif not _fits(value, kind):
        entries = _entry_faults(value, kind, key)
        yield from entries or [KeyFault(key, f"{_shown(value)} is not {_expected(kind)}{_hint(value, kind)}")]


def _entry_faults(value: object, kind: Any, key: str) -> list[KeyFault]:
    """The faults of a list's entries; none if the list itself is at fault."""
    lists = [part for part in _alternatives(kind) if get_origin(_bare(part)) in (tuple, list)]
    if not (lists and isinstance(value, list)):
        return []
    entries = _entries(lists[0], len(value))
    pairs = enumerate(zip(value, entries, strict=False)) if len(entries) == len(value) else ()
    return [fault for number, (part, entry) in pairs for fault in _of_value(part, entry, f"{key}[{number}]")]


def _entries(kind: Any, length: int) -> tuple[Any, ...]:
    """The types of a list's entries: of any number of one type, or of a fixed number."""
    arguments = get_args(_bare(kind))
    return arguments[:1] * length if get_origin(_bare(kind)) is list or arguments[-1] is Ellipsis else arguments


def _fits(value: object, kind: Any) -> bool:
    try:
        msgspec.convert(value, kind, strict=True)
    except msgspec.ValidationError:
        return False
    return True


def _unknown(name: str, section: type[msgspec.Struct]) -> str:
    """What may be meant by a key or section that does not exist."""
    known = {field.encode_name: field for field in msgspec.structs.fields(section)}
    if close := get_close_matches(name, known, 1):
        return f"is unknown; did you mean {close[0]}?"
    owners = [
        key for key, field in known.items() if (inner := _section(field.type)) and name in inner.__struct_fields__
    ]
    if owners:
        return f"is a key of section [{owners[0]}]; write it below that line"
    return f"is unknown; there are {', '.join(known)}"


def _expected(kind: Any) -> str:
    """What a key takes, as the end of a sentence."""
    choices = _choices(kind)
    others = [part for part in _alternatives(kind) if part is not NoneType and not _choices(part)]
    words = [f"one of {', '.join(map(_shown, choices))}"] if choices else []
    return " or ".join(dict.fromkeys([*words, *map(_expected_alone, others)]))


def _choices(kind: Any) -> list[Any]:
    """The values of the enums and literals among what a key takes."""
    choices: list[Any] = []
    for part in map(_bare, _alternatives(kind)):
        if get_origin(part) is Literal:
            choices += get_args(part)
        elif isinstance(part, type) and issubclass(part, Enum):
            choices += [member.value for member in part]
    return choices


def _expected_alone(kind: Any) -> str:
    bare, meta = _bare(kind), _meta(kind)
    if meta.description:
        return meta.description
    if get_origin(bare) in (tuple, list):
        entries = _entries(bare, 1)
        count = _range(meta.min_length, meta.max_length) if len(entries) == 1 else f"{len(entries)} "
        return f"a list of {count}values, each {_expected(entries[0])}"
    if get_origin(bare) is dict or bare is dict or issubclass(bare, msgspec.Struct):
        return "a section"
    return WORDS.get(bare, "what this key takes") + _limits(meta)


def _limits(meta: Meta) -> str:
    """The limits of a number; `gt` and `lt` are themselves outside."""
    limits = {"from": meta.ge, "above": meta.gt, "to": meta.le, "below": meta.lt}
    return "".join(f" {word} {value:,}" for word, value in limits.items() if value is not None)


def _range(least: int | None, most: int | None) -> str:
    if most is None:
        return f"{least} or more " if least else ""
    return f"{least or 0} to {most} "


def _hint(value: object, kind: Any) -> str:
    """What was probably meant by a text where something else belongs."""
    if not isinstance(value, str):
        return ""
    kinds = [_bare(part) for part in _alternatives(kind)]
    if close := get_close_matches(value.lower(), map(str, _choices(kind)), 1):
        return f"; did you mean {_shown(close[0])}?"
    number = re.fullmatch(r"(\d[\d_]*(?:\.\d+)?)\s*([kmg]?)", value.strip(), re.IGNORECASE | re.ASCII)
    if number and {int, float} & set(kinds):
        amount = float(number[1]) * UNITS.get(number[2].lower(), 1)
        return f"; write {amount:.15g}, without quotes" + (" or unit" if number[2] else "")
    return "; write it without quotes" if bool in kinds and value in ("true", "false") else ""


def _section_hint(kind: Any) -> str:
    section = _section(kind)
    required = [field.encode_name for field in msgspec.structs.fields(section) if field.required] if section else []
    return f" with the keys {', '.join(required)}" if required else ""


def _shown(value: object) -> str:
    """A value as TOML writes it, bounded."""
    text = msgspec.json.encode(value, enc_hook=str).decode()
    return text if len(text) <= 80 else f"{text[:80]}…"


def _section(kind: Any) -> type[msgspec.Struct] | None:
    sections = (part for part in _alternatives(kind) if isinstance(part, type) and issubclass(part, msgspec.Struct))
    return next(sections, None)


def _alternatives(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def _bare(kind: Any) -> Any:
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def _meta(kind: Any) -> Meta:
    metas = [part for part in get_args(kind)[1:] if isinstance(part, Meta)] if get_origin(kind) is Annotated else []
    return metas[0] if metas else Meta()
