"""Who measures, told to the measured: the files of RFC 9511 and a page for opting out, and whether both can be found."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline.attribution import opt_out_page, probing_txt
from pipeline.config import Config, IdentitySection
from pipeline.errors import InputError

#: For how long a description holds, in days; less than a year, as RFC 9116 §2.5.5 has it.
DAYS = 180
DESCRIPTION = (
    "Counts the DICOM (medical imaging) services that answer on the Internet. One SYN to each port and, if it answers, one "
    "association; a few hosts get further SYNs, which measure packet loss and harm. No patient data."
)


def require_told(identity: IdentitySection) -> None:
    """Raise InputError unless the identity has what the measured must be told."""
    for key in ("contact", "url", "authorised_by"):
        if not getattr(identity, key):
            raise InputError(f"key identity.{key}", "is required: it is published on the opt-out page")


def write(config: Config, folder: Path) -> list[Path]:
    """Write the page and the probe description, laid out as the web server has them; returns the files. Raises InputError."""
    identity, sweep = config.identity, config.sweep
    require_told(identity)
    expires = datetime.now(UTC) + timedelta(days=DAYS)
    told = opt_out_page.Told(
        contact=identity.contact, url=identity.url, authorised_by=identity.authorised_by, ae_title=identity.ae_title,
        sources=list(config.probe.sources), ports=sweep.ports, profile=sweep.profile,
    )  # fmt: skip
    texts = {
        folder / "index.html": opt_out_page.html(told),
        folder / probing_txt.PATH.lstrip("/"): probing_txt.write(
            probing_txt.Described(identity.url, identity.contact, expires, DESCRIPTION)
        ),
    }
    for path, text in texts.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        except OSError as error:
            raise InputError(str(path), f"cannot be written: {error.strerror}") from None
    return list(texts)
