"""What the rest of commerce may ask of subscriptions."""

from commerce.subscriptions.repository.subscriptions import StepTaken
from commerce.subscriptions.service import entitlements
from commerce.subscriptions.service.changing import (
    Preview,
    When,
    cancel_now,
    change,
    pause,
    pay_with,
    preview,
    resume,
    retry,
    set_cancel,
)
from commerce.subscriptions.service.collecting import cancel_unwanted, collect, collect_one
from commerce.subscriptions.service.following import follow
from commerce.subscriptions.service.plans import (
    create_plan,
    end_plan,
    offered_plan,
    offered_plans,
    plan_of,
)
from commerce.subscriptions.service.reading import holder, of_user, shown, view
from commerce.subscriptions.service.renewing import catch_up, turn
from commerce.subscriptions.service.starting import Method, Started, Wanted, start
from commerce.subscriptions.service.watching import INVARIANTS

__all__ = [
    "INVARIANTS",
    "Method",
    "Preview",
    "Started",
    "StepTaken",
    "Wanted",
    "When",
    "cancel_now",
    "cancel_unwanted",
    "catch_up",
    "change",
    "collect",
    "collect_one",
    "create_plan",
    "end_plan",
    "entitlements",
    "follow",
    "holder",
    "of_user",
    "offered_plan",
    "offered_plans",
    "pause",
    "pay_with",
    "plan_of",
    "preview",
    "resume",
    "retry",
    "set_cancel",
    "shown",
    "start",
    "turn",
    "view",
]
