"""The row of a sealed sweep in table `sweeps`, from its plan and its receipts."""

from pipeline.plan.plan import Plan
from pipeline.record.receipt import Receipt


def sweep_row(plan: Plan, receipts: list[Receipt], sealed_at: int, code_version: str) -> dict[str, object]:
    """Return what table `sweeps` says of a sweep, besides the checksum of its manifest."""
    return {
        "name": plan.name,
        "plan_digest": plan.digest,
        "profile": plan.settings.profile,
        "ports": list(plan.settings.ports),
        "addresses": plan.addresses,
        "sampled_addresses": plan.sampled_addresses,
        **{name: sum(getattr(r, name) for r in receipts) for name in ("probes_sent", "responses", "associations")},
        "started_at": min(r.started_at for r in receipts),
        "finished_at": max(r.finished_at for r in receipts),
        "sealed_at": sealed_at,
        "code_version": code_version,
        "vantages": sorted({r.vantage for r in receipts}),
        "harm_margin": plan.harm.margin if plan.harm else None,
        "focus": list(plan.focus.sweeps) if plan.focus else None,
        "focus_addresses": plan.focus.addresses if plan.focus else None,
        "visibility_of": plan.whole,
        "vantage_name": plan.vantage or None,
        "visibility_vantages": list(plan.visibility.vantages) if plan.visibility else None,
    }
