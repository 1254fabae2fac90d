"""Write the files that show scanned networks who scans: the opt-out page and probing.txt (RFC 9511)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline import host
from pipeline.attribution import opt_out_page, probing_txt
from pipeline.config import local
from pipeline.config.sections import CompanionsSection, Config, IdentitySection, ProbeSection
from pipeline.errors import InputError
from pipeline.plan.timing import companions_apart, spoken

#: Validity of probing.txt in days; less than a year, as RFC 9116 §2.5.5 recommends.
DAYS = 180
#: What is really sent, by default; docs/ethics.md has the whole list.
DESCRIPTION = (
    "Counts the DICOM (medical imaging) services that answer on the Internet. Each address gets one TCP SYN per port. "
    "A random sample of addresses gets a second SYN, another sample a SYN to a control port. "
    "A port that answers gets one DICOM association, which transfers no data."
)
HARM_DESCRIPTION = " Later SYNs check that visited services still answer."
COMPANIONS_DESCRIPTION = (
    " An address that speaks DICOM gets one TCP SYN without data to each of the ports {ports}: {when}."
)


def require_identity(identity: IdentitySection) -> None:
    """Raise InputError unless the identity has all that is published."""
    for key in ("contact", "url", "authorised_by"):
        if not getattr(identity, key):
            raise InputError(f"key identity.{key}", "is required: it is published on the opt-out page")


def nameless(probe: ProbeSection) -> Iterator[str]:
    """Yield a sentence if the page cannot name the addresses that probes come from."""
    if not local.facts(probe).seen:
        yield (
            "the page names no source address, so nobody can recognise or drop our packets by it: set [probe] source, or behind a "
            f"NAT export {local.PUBLIC_ADDRESS}=…, and write it again"
        )


def write(config: Config, folder: Path) -> list[Path]:
    """Write the page and probing.txt at their paths on the web server; return the files. Raises InputError."""
    identity, sweep = config.identity, config.sweep
    require_identity(identity)
    expires = datetime.now(UTC) + timedelta(days=DAYS)
    page = opt_out_page.OptOutPage(
        contact=identity.contact, url=identity.url, authorised_by=identity.authorised_by, ae_title=identity.ae_title,
        sources=list(local.facts(config.probe).seen), ports=sweep.ports, profile=sweep.profile,
        harm_checks=config.harm is not None, companions=config.companions.ports, companions_when=when(config.companions),
    )  # fmt: skip
    texts = {
        folder / "index.html": opt_out_page.html(page),
        folder / probing_txt.PATH.lstrip("/"): probing_txt.write(
            probing_txt.ProbingTxt(identity.url, identity.contact, expires, _description(config))
        ),
    }
    for path, text in texts.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            host.write_result(path, text)
        except OSError as error:
            raise InputError(str(path), f"cannot be written: {error.strerror}") from None
    return list(texts)


def when(companions: CompanionsSection) -> str:
    """When the companion SYNs to an address leave, in words; empty without any."""
    if not companions.ports:
        return ""
    delay, apart = (
        spoken(seconds).removesuffix(" 0 s") for seconds in (companions.delay, companions_apart(companions))
    )
    first = f"{delay} after the visit or later"
    return first if len(companions.ports) == 1 else f"the first {first}, the others at least {apart} apart"


def _description(config: Config) -> str:
    """What the sweep of a configuration sends, in sentences."""
    ports = ", ".join(map(str, config.companions.ports))
    companions = COMPANIONS_DESCRIPTION.format(ports=ports, when=when(config.companions)) if ports else ""
    return DESCRIPTION + (HARM_DESCRIPTION if config.harm else "") + companions
