"""Read a configuration: one TOML file. Every key is checked; errors name file, key and reason."""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from pipeline.config import toml_file
from pipeline.config.sections import Config, ReleaseSection
from pipeline.config.toml_file import NONE, Overrides
from pipeline.config.validate import KeyFault
from pipeline.engines import Engine


def load_config(path: Path, overrides: Overrides = NONE) -> Config:
    """Read and check a configuration, with keys of `overrides` (by section) in place of the file's.

    Raises InputError naming file, key and reason of each fault.
    """
    config = _without_extra_probes(_with_signed_targets(toml_file.read(path, Config, overrides)))
    toml_file.refuse(path, list(_contradictions(config)))
    return config


def lake_and_release(named: str) -> tuple[str, ReleaseSection]:
    """Return a lake, and section [release] of the configuration if that names the lake. Raises InputError."""
    if not named.endswith(".toml"):
        return named, ReleaseSection()
    config = load_config(Path(named))
    return config.lake.url, config.release


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
    yield from _without_connections(config)
    if config.control.port in (*sweep.ports, *config.companions.ports):
        yield KeyFault(
            "control.port", f"{config.control.port} is a port of the sweep; choose one where no service answers"
        )
    yield from _repeated_ports(config)
    yield from _visibility(config)
    if not sweep.sample > 0 or (isinstance(sweep.sample, float) and sweep.sample > 1):
        yield KeyFault("sweep.sample", "must be a share in (0, 1] or a whole number of addresses")
    elif targets.focus and (isinstance(sweep.sample, int) or sweep.sample < 1):
        yield KeyFault("sweep.sample", "is for sweeps without a focus; set targets.focus.sample, and leave this out")


def _visibility(config: Config) -> Iterator[KeyFault]:
    """Yield what a visibility sample cannot be drawn from, or cannot be probed by."""
    section = config.visibility
    if section is None:
        return
    if len(set(section.vantages)) != len(section.vantages):
        yield KeyFault(
            "visibility.vantages", f"names a vantage twice: {', '.join(section.vantages)}; name each of them once"
        )
    if config.targets.focus:
        yield KeyFault(
            "visibility", "is for sweeps without a focus, which probes most where services were; leave one of them out"
        )
    for key in ("per_slash24_hour", "per_network_hour"):
        if 0 < getattr(config.caps, key) < len(section.vantages):
            yield KeyFault(f"caps.{key}", f"cannot be divided among {len(section.vantages)} vantages; raise it")


def _without_connections(config: Config) -> Iterator[KeyFault]:
    """Yield the keys that need bare SYNs, if the engine sends none."""
    if config.probe.engine.extra_probes:
        return
    keys = {
        "harm": config.harm,
        "control.targets": config.control.targets,
        "companions.ports": config.companions.ports,
    }
    for key in (key for key, value in keys.items() if value):
        yield KeyFault(
            key,
            f'needs SYNs without a connection, which "{config.probe.engine}" cannot send; set probe.engine to "{Engine.RING}"',
        )


def _repeated_ports(config: Config) -> Iterator[KeyFault]:
    """Yield the lists that name a port twice, and a companion port that the sweep probes anyway."""
    lists = {"sweep.ports": config.sweep.ports, "companions.ports": config.companions.ports}
    for key, ports in lists.items():
        if len(set(ports)) != len(ports):
            yield KeyFault(key, f"lists a port twice: {list(ports)}; list each once")
    if common := sorted(set(config.sweep.ports) & set(config.companions.ports)):
        yield KeyFault("companions.ports", f"{common[0]} is a port of the sweep; leave it out here")
