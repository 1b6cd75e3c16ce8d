"""Choose a test card, answer the bank, go back to the shop. No script runs."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

from quart import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from deploy.stripe_standin.errors import CardDeclinedError, MissingError, StripeError
from deploy.stripe_standin.money import written
from deploy.stripe_standin.page.offers import Offer, offers
from deploy.stripe_standin.payments import confirming, setup_intents
from deploy.stripe_standin.people.cards import card_of
from deploy.stripe_standin.people.payment_methods import from_card
from deploy.stripe_standin.store import Document
from deploy.stripe_standin.world import World

_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}
_WAITS: Final = frozenset({"requires_payment_method", "requires_confirmation"})
_GOOD: Final = frozenset({"succeeded", "processing", "requires_capture"})


def page_blueprint(world: World) -> Blueprint:
    """Return the pages for payment intents and setup intents."""
    pages = Blueprint(
        "page",
        __name__,
        template_folder="templates",
        static_folder="static",
        static_url_path="/page",
    )

    @pages.after_request
    async def protect(response: Response) -> Response:
        response.headers.update(_HEADERS)
        return response

    @pages.errorhandler(StripeError)
    async def tell(error: StripeError) -> tuple[str, int]:
        return await render_template("standin/problem.html", message=error.message), error.status

    pages.add_url_rule("/pay/<identity>", "pay", _pay_page(world))
    pages.add_url_rule("/pay/<identity>", "paying", _pay(world), methods=["POST"])
    pages.add_url_rule("/pay/<identity>/done", "done", _done_page(world))
    pages.add_url_rule("/challenge/<identity>", "challenge", _challenge_page(world))
    pages.add_url_rule("/challenge/<identity>", "answer", _answer(world), methods=["POST"])
    return pages


def _pay_page(world: World) -> Any:  # noqa: ANN401 - a view, as Quart takes it
    async def pay_page(identity: str) -> str | AnyResponse:
        intent = _intent(world, identity, request.args.get("client_secret", ""))
        back = request.args.get("return_url", "")
        if intent["status"] == "requires_action":
            return redirect(_challenge_url(intent), 303)
        if intent["status"] not in _WAITS:
            return redirect(_done_url(intent, back), 303)
        return await _form(intent, back)

    return pay_page


def _pay(world: World) -> Any:  # noqa: ANN401 - a view, as Quart takes it
    async def pay(identity: str) -> tuple[str, int] | AnyResponse:
        sent = await request.form
        intent = _intent(world, identity, sent.get("client_secret", ""))
        back = sent.get("return_url", "")
        number = sent.get("number", "").strip() or sent.get("card", "")
        if intent["status"] not in _WAITS:  # sent twice, or from another tab
            return redirect(_done_url(intent, back), 303)
        card = card_of(number)
        if card is None:
            message = "Only the test cards work here. Never type a real card number."
            return await _form(intent, back, problem=message), 422
        problem = None
        with world.store.transaction():
            method = from_card(world, card)
            try:
                intent = _confirm(world, intent, method["id"], back)
            except CardDeclinedError as declined:
                problem = declined.message
                intent = world.get(intent["object"], identity)
        if problem is not None:
            return await _form(intent, back, problem=problem), 402
        if intent["status"] == "requires_action":
            return redirect(_challenge_url(intent), 303)
        return redirect(_done_url(intent, back), 303)

    return pay


def _confirm(world: World, intent: Document, method: str, back: str) -> Document:
    where = back or f"{world.public_url}/pay/{intent['id']}/done"
    if intent["object"] == "setup_intent":
        setup = setup_intents.ConfirmSetup(payment_method=method, return_url=where)
        return setup_intents.confirm(world, intent, setup)
    asked = confirming.Confirmation(payment_method=method, return_url=where)
    return confirming.confirm(world, intent, asked)


def _challenge_page(world: World) -> Any:  # noqa: ANN401 - a view, as Quart takes it
    async def challenge_page(identity: str) -> str | AnyResponse:
        intent = _intent(world, identity, request.args.get("secret", ""))
        if intent["status"] != "requires_action":
            return redirect(_done_url(intent, _way_back(intent)), 303)
        method = world.get("payment_method", intent["payment_method"])
        return await render_template(
            "standin/challenge.html", intent=intent, card=method["card"], amount=_amount(intent)
        )

    return challenge_page


def _answer(world: World) -> Any:  # noqa: ANN401 - a view, as Quart takes it
    async def answer(identity: str) -> AnyResponse:
        sent = await request.form
        intent = _intent(world, identity, sent.get("client_secret", ""))
        back = _way_back(intent)
        succeeds = sent.get("verdict") == "complete"
        with world.store.transaction():
            if intent["object"] == "setup_intent":
                intent = setup_intents.complete_challenge(world, intent, succeeds=succeeds)
            else:
                intent = confirming.complete_challenge(world, intent, succeeds=succeeds)
        return redirect(_done_url(intent, back), 303)

    return answer


def _done_page(world: World) -> Any:  # noqa: ANN401 - a view, as Quart takes it
    async def done_page(identity: str) -> str:
        intent = _intent(world, identity, request.args.get("client_secret", ""))
        back = request.args.get("return_url", "")
        error = intent.get("last_payment_error") or intent.get("last_setup_error")
        return await render_template(
            "standin/done.html",
            intent=intent,
            amount=_amount(intent),
            is_good=intent["status"] in _GOOD,
            problem=error and error["message"],
            back=_returning(intent, back) if _is_address(back) else "",
            host=urlsplit(back).netloc,
            again=_pay_url(intent, back) if intent["status"] in _WAITS else "",
        )

    return done_page


async def _form(intent: Document, back: str, *, problem: str | None = None) -> str:
    return await render_template(
        "standin/pay.html",
        intent=intent,
        amount=_amount(intent),
        back=back,
        host=urlsplit(back).netloc,
        groups=_grouped(),
        problem=problem,
    )


def _grouped() -> Mapping[str, list[Offer]]:
    grouped: dict[str, list[Offer]] = {}
    for offer in offers():
        grouped.setdefault(offer.group, []).append(offer)
    return grouped


def _intent(world: World, identity: str, secret: str) -> Document:
    """Whoever knows an intent's secret may act on it, as with Stripe.js."""
    kind = "setup_intent" if identity.startswith("seti_") else "payment_intent"
    found = world.find(kind, identity)
    if found is None or found["client_secret"] != secret:
        raise MissingError(kind, identity)
    return found


def _amount(intent: Document) -> str | None:
    if intent["object"] == "setup_intent":
        return None
    return written(intent["amount"], intent["currency"])


def _way_back(intent: Document) -> str:
    """The page's own address is no way back to the shop."""
    back: str = intent.get("_return_url") or ""
    return "" if urlsplit(back).path == f"/pay/{intent['id']}/done" else back


def _is_address(url: str) -> bool:
    return urlsplit(url).scheme in {"http", "https"}


def _returning(intent: Document, back: str) -> str:
    """The shop's address with what Stripe adds to it."""
    parts = urlsplit(back)
    added = {
        intent["object"]: intent["id"],
        f"{intent['object']}_client_secret": intent["client_secret"],
        "redirect_status": "succeeded" if intent["status"] in _GOOD else "failed",
    }
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    return urlunsplit(parts._replace(query=urlencode({**query, **added})))


def _done_url(intent: Document, back: str) -> str:
    return f"/pay/{intent['id']}/done?{_query(intent, back)}"


def _pay_url(intent: Document, back: str) -> str:
    return f"/pay/{intent['id']}?{_query(intent, back)}"


def _query(intent: Document, back: str) -> str:
    return urlencode({"client_secret": intent["client_secret"], "return_url": back})


def _challenge_url(intent: Document) -> str:
    return f"/challenge/{intent['id']}?{urlencode({'secret': intent['client_secret']})}"
