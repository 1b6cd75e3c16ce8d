"""Pages to HTML, with Jinja. What is said here and in `static/js/format.js` is said alike."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

import jinja2
import msgspec
from markupsafe import Markup

from commerce.storefront.assets import Assets
from protocol.money import Money, decimals, written
from protocol.views import OrderState

TimeStyle = Literal["full", "short", "clock"]

_TONES: Final = 8
_FEW: Final = 10
"""More than this many are simply there: the number is the shop's business."""

_TEMPLATES: Final = Path(__file__).parent / "templates"
_TIME_FORMATS: Final[dict[TimeStyle, str]] = {
    "full": "%-d %b %Y, %H:%M UTC",
    "short": "%-d %b",
    "clock": "%H:%M",
}
_SYMBOLS: Final = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥"}
_STATE_NAMES: Final[dict[OrderState, str]] = {
    "draft": "Draft",
    "awaiting_payment": "Waiting for payment",
    "processing": "Payment on its way",
    "paid": "Paid",
    "fulfilled": "Ready",
    "canceled": "Canceled",
    "expired": "Expired",
    "paid_late": "Paid too late",
    "partially_refunded": "Partly refunded",
    "refunded": "Refunded",
}
_STEP_NAMES: Final = {
    "order_placed": "Placed",
    "order_processing": "Payment on its way",
    "order_payment_failed": "Payment failed",
    "order_paid": "Paid",
    "order_fulfilled": "Ready",
    "order_canceled": "Canceled",
    "order_expired": "Expired",
    "order_paid_late": "Paid too late",
    "order_refunded": "Refunded",
    "order_disputed": "Disputed",
    "order_dispute_closed": "Dispute decided",
    "order_held": "On hold",
    "order_released": "Going on",
    "order_delivery_changed": "Delivery changed",
}
# What could end a script element or start a comment in it.
_DANGEROUS_IN_SCRIPT: Final = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
)


class Renderer:
    """Renders the templates of the storefront."""

    def __init__(self, assets: Assets) -> None:
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(
            {
                "initials": initials,
                "iso": _iso,
                "json": as_json,
                "money": money,
                "state_name": _STATE_NAMES.__getitem__,
                "step_name": _step_name,
                "stock_left": stock_left,
                "sum_of": sum_of,
                "tone": tone,
                "utc": _utc,
            }
        )
        self._environment.globals.update({"asset": assets.url, "modules": assets.modules()})

    def render(self, template: str, **shown: object) -> str:
        """Return a page's HTML."""
        return self._environment.get_template(template).render(**shown)


def money(amount: Money) -> str:
    """Say a price as people do."""
    if amount.amount_minor == 0:
        return "Free"
    return sum_of(amount)


def sum_of(amount: Money) -> str:
    """Say an amount, also that there is none of it."""
    symbol = _SYMBOLS.get(amount.currency, f"{amount.currency}\u00a0")
    whole, point, rest = written(abs(amount.amount_minor), amount.currency).partition(".")
    assert len(rest) == decimals(amount.currency)
    sign = "-" if amount.amount_minor < 0 else ""
    return f"{sign}{symbol}{int(whole):,}{point}{rest}"


def stock_left(stock: int | None) -> str:
    """Say of a stock what buyers are told: nothing as long as there is enough."""
    if stock is None or stock > _FEW:
        return ""
    return f"Only {stock} left" if stock else "Sold out"


def initials(name: str) -> str:
    """Return the letters that stand for a name: of its first and its last word."""
    words = name.split()
    return "".join(word[0] for word in (*words[:1], *words[1:][-1:])).upper()


def tone(identity: str) -> int:
    """Return the number of the colour that stands for a person or a thing."""
    return sum(map(ord, identity)) % _TONES


def as_json(shown: object) -> Markup:
    """Write data into a script element, in which nothing can end the element."""
    text = msgspec.json.encode(shown).decode().translate(_DANGEROUS_IN_SCRIPT)
    return Markup(text)  # noqa: S704 - nothing in it is markup any more


def _step_name(event_type: str) -> str:
    return _STEP_NAMES.get(event_type, event_type)


def _iso(ms: int) -> str:
    return _moment(ms).isoformat(timespec="seconds")


def _utc(ms: int, style: TimeStyle) -> str:
    return _moment(ms).strftime(_TIME_FORMATS[style])


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
