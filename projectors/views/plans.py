"""Plans, as operators and the servers of applications see them."""

from __future__ import annotations

from events.plans import Plan
from projectors.views.core import Component, View


def plan_view(plan: Plan) -> View:
    """A plan with its prices, features and limits."""
    return {
        "id": plan.id,
        "name": plan.name,
        "tier": plan.tier,
        "state": plan.state,
        "monthly": plan.monthly,
        "yearly": plan.yearly,
        "currency": plan.currency,
        "features": plan.features,
        "limits": plan.limits,
        "created": plan.created,
        "updated": plan.updated,
        "version": plan.version,
    }


VIEWS = {"Plan": Component(plan_view, Plan)}
