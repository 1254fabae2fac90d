"""Read a configuration: one TOML file. Every key is checked; errors name file, key and reason."""

import tomllib
from pathlib import Path

import msgspec

from pipeline.config.sections import Config
from pipeline.engines import Engine
from pipeline.errors import InputError


def load_config(path: Path) -> Config:
    """Read and check a configuration. Raises InputError naming file, key and reason."""
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(str(path), f"is not TOML: {error}") from None
    try:
        config = msgspec.convert(data, Config, strict=True)
    except msgspec.ValidationError as error:
        raise InputError(*_locate(path, str(error))) from None
    config = _without_extra_probes(_with_signed_targets(config))
    _check(path, config)
    return config


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


def _locate(path: Path, message: str) -> tuple[str, str]:
    """Split msgspec's "reason - at `$.a.b`" into ("FILE, key a.b", "reason")."""
    reason, _, path_in_file = message.partition(" - at `$")
    key = path_in_file.rstrip("`").lstrip(".")
    return (f"{path}, key {key}" if key else str(path)), reason


def _check(path: Path, config: Config) -> None:
    """Check what types cannot: an empty target list, repeated ports, an impossible sample. Raises InputError."""
    targets, sweep = config.targets, config.sweep
    if not targets.include and not targets.include_files:
        raise InputError(f"{path}, key targets.include", 'is empty; name the addresses to sweep, e.g. ["192.0.2.0/24"]')
    if config.caps.per_network_hour and not config.geo.asn:
        raise InputError(f"{path}, key caps.per_network_hour", "needs a network database; name an mmdb in key geo.asn")
    for key in () if config.probe.engine.extra_probes else ("harm", "control.targets"):
        if config.harm if key == "harm" else config.control.targets:
            raise InputError(
                f"{path}, key {key}",
                f'needs SYNs without a connection, which "{config.probe.engine}" cannot send; set probe.engine to "{Engine.RING}"',
            )
    if config.control.port in sweep.ports:
        raise InputError(
            f"{path}, key control.port",
            f"{config.control.port} is a port of the sweep; choose one where no service answers",
        )
    if len(set(sweep.ports)) != len(sweep.ports):
        raise InputError(f"{path}, key sweep.ports", f"lists a port twice: {list(sweep.ports)}; list each once")
    if not sweep.sample > 0 or (isinstance(sweep.sample, float) and sweep.sample > 1):
        raise InputError(f"{path}, key sweep.sample", "must be a share in (0, 1] or a whole number of addresses")
