"""Read a configuration: one TOML file. Every key is checked; errors name file, key and reason."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from pipeline.config.sections import Config
from pipeline.config.validate import KeyFault, faults
from pipeline.engines import Engine
from pipeline.errors import InputError

#: Keys and values by section, as TOML has them: what the command line gives instead of the file.
Overrides = Mapping[str, Mapping[str, Any]]
NONE: Overrides = {}


def load_config(path: Path, overrides: Overrides = NONE) -> Config:
    """Read and check a configuration, with keys of `overrides` (by section) in place of the file's.

    Raises InputError naming file, key and reason of each fault.
    """
    try:
        data = tomllib.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(str(path), f"is not TOML: {error}") from None
    for section, keys in overrides.items():
        if isinstance(data.setdefault(section, {}), dict):
            data[section].update(keys)
    _refuse(path, sorted(faults(data, Config)))
    config = _without_extra_probes(_with_signed_targets(msgspec.convert(data, Config, strict=True)))
    _refuse(path, list(_contradictions(config)))
    return config


def _refuse(path: Path, named: Sequence[KeyFault]) -> None:
    """Raise InputError that names all faults, a line each, if there are any."""
    if len(named) == 1:
        raise InputError(f"{path}, key {named[0].key}", named[0].reason)
    if named:
        listed = "".join(f"\n  key {fault.key}: {fault.reason}" for fault in named)
        raise InputError(str(path), f"has {len(named)} faults:{listed}")


def _with_signed_targets(config: Config) -> Config:
    """Without an include list, sweep the whole signed list."""
    targets = config.targets
    if targets.include or targets.include_files or not config.own.ranges:
        return config
    return msgspec.structs.replace(config, targets=msgspec.structs.replace(targets, include_files=(config.own.ranges,)))


def _without_extra_probes(config: Config) -> Config:
    """Switch off second and control SYNs if the engine has none: the kernel would complete their handshakes and open connections."""
    if config.probe.engine.extra_probes:
        return config
    loss, control = (msgspec.structs.replace(section, sample=0.0) for section in (config.loss, config.control))
    return msgspec.structs.replace(config, loss=loss, control=control)


def _contradictions(config: Config) -> Iterator[KeyFault]:
    """Yield what types cannot refuse: an empty target list, repeated ports, an impossible sample."""
    targets, sweep = config.targets, config.sweep
    if not targets.include and not targets.include_files:
        yield KeyFault("targets.include", 'is empty; name the addresses to sweep, e.g. ["192.0.2.0/24"]')
    if config.caps.per_network_hour and not config.geo.asn:
        yield KeyFault("caps.per_network_hour", "needs a network database; name one in key geo.asn")
    for key in () if config.probe.engine.extra_probes else ("harm", "control.targets"):
        if config.harm if key == "harm" else config.control.targets:
            yield KeyFault(
                key,
                f'needs SYNs without a connection, which "{config.probe.engine}" cannot send; set probe.engine to "{Engine.RING}"',
            )
    if config.control.port in sweep.ports:
        yield KeyFault(
            "control.port", f"{config.control.port} is a port of the sweep; choose one where no service answers"
        )
    if len(set(sweep.ports)) != len(sweep.ports):
        yield KeyFault("sweep.ports", f"lists a port twice: {list(sweep.ports)}; list each once")
    if not sweep.sample > 0 or (isinstance(sweep.sample, float) and sweep.sample > 1):
        yield KeyFault("sweep.sample", "must be a share in (0, 1] or a whole number of addresses")
