"""What protects the pages and the cookie: headers, content policy, same-origin checks."""

from collections.abc import Iterable, Mapping
from typing import ClassVar, Final

import msgspec

from commerce.foundation.errors import CrossOriginError

SESSION_COOKIE_SECONDS: Final = 30 * 24 * 3600
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_TRUSTED_SITES: Final = frozenset({"same-origin", "none"})


class ContentPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """The Content-Security-Policy of our pages: everything from ourselves, nothing inline.

    `connect_sources` are the addresses, besides our own, that scripts may talk to (the socket).
    `payment_sources` are whose scripts and frames take card numbers, so that we never see them.
    """

    connect_sources: tuple[str, ...] = ()
    payment_sources: tuple[str, ...] = ()

    def header(self) -> str:
        """Return the policy as the header has it."""
        connect = " ".join(("'self'", *self.connect_sources, *self.payment_sources))
        payment = " ".join(self.payment_sources)
        return "; ".join(
            (
                "default-src 'none'",
                f"script-src 'self' {payment}".rstrip(),
                "frame-src " + (payment or "'none'"),
                "style-src 'self'",
                "img-src 'self' data:",
                "font-src 'self'",
                "manifest-src 'self'",
                f"connect-src {connect}",
                "form-action 'self'",
                "base-uri 'none'",
                "frame-ancestors 'none'",
            )
        )


class SecretCookie(msgspec.Struct, frozen=True, kw_only=True):
    """A cookie that holds a secret, which no script may read.

    With `secure` it is bound to this very host, and travels over TLS only.
    """

    label: ClassVar[str]
    secure: bool

    @property
    def name(self) -> str:
        """The cookie's name."""
        return f"__Host-{self.label}" if self.secure else self.label

    def give(self, token: str) -> str:
        """Return the Set-Cookie header that keeps `token`."""
        return f"{self.name}={token}; Max-Age={SESSION_COOKIE_SECONDS}; {self._attributes()}"

    def take_back(self) -> str:
        """Return the Set-Cookie header that removes the cookie."""
        return f"{self.name}=; Max-Age=0; {self._attributes()}"

    def _attributes(self) -> str:
        return "Path=/; HttpOnly; SameSite=Lax" + ("; Secure" if self.secure else "")


class SessionCookie(SecretCookie, frozen=True, kw_only=True):
    """The cookie that holds a session's token."""

    label = "rialto_session"


class GuestCartCookie(SecretCookie, frozen=True, kw_only=True):
    """The cookie that holds the token of a guest's cart."""

    label = "rialto_cart"


def guest_cart_cookie(session: SessionCookie) -> GuestCartCookie:
    """Return the cookie of guests' carts, as safe as that of sessions."""
    return GuestCartCookie(secure=session.secure)


def security_headers(policy: ContentPolicy, *, secure: bool) -> Mapping[str, str]:
    """Return the headers every answer carries."""
    headers = {
        "content-security-policy": policy.header(),
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "strict-origin-when-cross-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
    }
    if secure:
        headers["strict-transport-security"] = "max-age=31536000; includeSubDomains"
    return headers


def check_origin(
    method: str,
    *,
    origin: str | None,
    site: str | None,
    own_origins: Iterable[str],
    has_cookie: bool,
) -> None:
    """Refuse a change that a page of another site asks for in the user's name.

    A browser says who asks by `Origin`, or by `Sec-Fetch-Site` (Fetch Metadata). Whoever says
    neither is no browser and is trusted only without the cookie.

    Raises:
        CrossOriginError: if the request is not from one of our own pages.
    """
    if method in _SAFE_METHODS:
        return
    if origin is not None:
        trusted = origin in own_origins
    elif site is not None:
        trusted = site in _TRUSTED_SITES
    else:
        trusted = not has_cookie
    if not trusted:
        raise CrossOriginError
