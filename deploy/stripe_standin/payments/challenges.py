"""3-D Secure: whether the bank wants to ask the cardholder, and where it would do so."""

from typing import Final

from deploy.stripe_standin.people.cards import TestCard
from deploy.stripe_standin.store import Document
from deploy.stripe_standin.world import World

_WANTED: Final = frozenset({"any", "challenge"})


def is_needed(card: TestCard, method: Document, *, wanted: str | None) -> bool:
    """Return whether the cardholder is asked; `wanted` is the merchant's request_three_d_secure."""
    match card.challenge:
        case "always" | "on_session":
            return True
        case "until_set_up":
            return not method.get("_is_set_up") or wanted in _WANTED
        case "possible":
            return wanted in _WANTED
        case "never":
            return False


def is_needed_off_session(card: TestCard, method: Document) -> bool:
    """Return whether the bank refuses to go on without the cardholder, who is not there."""
    match card.challenge:
        case "always":
            return True
        case "until_set_up":
            return not method.get("_is_set_up")
        case "on_session" | "possible" | "never":
            return False


def next_action(world: World, intent: Document, return_url: str | None) -> Document:
    """Return where the cardholder has to go."""
    url = f"{world.public_url}/challenge/{intent['id']}?secret={intent['client_secret']}"
    if return_url:
        return {
            "type": "redirect_to_url",
            "redirect_to_url": {"url": url, "return_url": return_url},
        }
    return {
        "type": "use_stripe_sdk",
        "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": url},
    }
