"""What an owner agreed to when they signed a list of ranges: lines of the list itself, so that the signature covers them.

    owner: St Example Hospital
    auditor: it-security@hospital.example
    profile: capabilities, echo
    from: 2026-12-01
    until: 2027-02-28
    192.0.2.0/25  # radiology

`auditor` is the contact of whoever sweeps ([identity] contact). A list without these lines says who signed it and nothing else.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from pipeline.config.sections import Profile
from pipeline.errors import GuardError
from pipeline.space import address_list

EXAMPLE = "owner: St Example Hospital, auditor: it-security@hospital.example, profile: echo, from: 2026-12-01, until: 2027-02-28"
#: The longest time that a signature holds: whoever agreed may have left, and ranges change hands.
LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Terms:
    """What an owner agreed to; days are in UTC, both included."""

    owner: str
    auditor: str
    profiles: tuple[Profile, ...]
    begin: date
    until: date

    def valid_on(self, day: date) -> bool:
        """Whether the signature is valid on a day."""
        return self.begin <= day <= self.until

    def require(self, *, owner: str, auditor: str, profile: Profile, today: date) -> None:
        """Raise GuardError unless this is what the owner agreed to."""
        for what, agreed, now in (("own.owner", self.owner, owner), ("identity.contact", self.auditor, auditor)):
            if agreed != now:
                raise GuardError(f"the owner signed for {agreed!r}, and key {what} is {now!r}; nothing is sent")
        if profile not in self.profiles:
            names = ", ".join(self.profiles)
            raise GuardError(
                f"the owner signed for the profiles {names}, and the sweep has `{profile}`; nothing is sent"
            )
        if not self.valid_on(today):
            raise GuardError(
                f"the owner's signature holds from {self.begin} until {self.until}, and today is {today} (UTC): nothing is sent; "
                "have the owner sign the list again"
            )


def split(text: str) -> tuple[dict[str, str], list[str]]:
    """Split a signed list into its terms and the lines of its ranges."""
    terms: dict[str, str] = {}
    ranges = []
    for line in address_list.lines(text):
        match = address_list.TERM.fullmatch(line)
        if match:
            terms.setdefault(match[1], match[2])
        else:
            ranges.append(line)
    return terms, ranges


def read(text: str) -> Terms:
    """Return the terms of a signed list. Raises GuardError if it lacks some."""
    terms, _ = split(text)
    if missing := [name for name in address_list.TERMS if not terms.get(name)]:
        raise GuardError(
            f"the signed list lacks the lines {', '.join(missing)}: it does not say what its owner agreed to. Have the owner add them "
            f"and sign the list again; e.g. {EXAMPLE}, a line each"
        )
    profiles = [name.strip() for name in terms["profile"].split(",")]
    if unknown := [name for name in profiles if name not in [profile.value for profile in Profile]]:
        raise GuardError(f"the signed list has the profile {unknown[0]!r}; there are {', '.join(Profile)}")
    begin, until = (_day(name, terms[name]) for name in ("from", "until"))
    if not begin <= until <= begin + LONGEST:
        raise GuardError(
            f"the signed list holds from {begin} until {until}; that must be 1 to {LONGEST.days} days, so have the owner sign another"
        )
    return Terms(terms["owner"], terms["auditor"], tuple(map(Profile, profiles)), begin, until)


def _day(name: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise GuardError(f"the signed list has {name}: {text!r}, which is not a date (use YYYY-MM-DD)") from None
