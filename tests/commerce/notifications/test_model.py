import pytest

from commerce.notifications.errors import MalformedNotificationError
from commerce.notifications.model import Draft, is_good_link, parse_draft
from protocol.ids import UserId

ADA = UserId("usr_01JD0000000000000000000001")


def fields(**said):
    """A good entry of the stream, but for what is said."""
    return {"user": ADA, "title": "Hello"} | said


class TestAnEntryOfTheStream:
    def test_needs_a_user_and_a_title(self):
        assert parse_draft(fields()) == Draft(user=ADA, title="Hello", category="general")

    def test_may_say_more(self):
        draft = parse_draft(
            fields(body="At last.", link="/orders/ord_1", category="orders", key="order-1")
        )

        assert (draft.body, draft.link) == ("At last.", "/orders/ord_1")
        assert (draft.category, draft.key) == ("orders", "order-1")

    def test_is_cleaned_of_control_characters(self):
        draft = parse_draft(fields(title=" Two\nlines\x07 ", body="one\r\ntwo\x00 "))

        assert (draft.title, draft.body) == ("Two lines", "one\ntwo")

    @pytest.mark.parametrize(
        "malformed",
        [
            {},
            {"user": ADA},
            {"title": "Hello"},
            fields(user="ada"),
            fields(user=""),
            fields(user="ord_01JD0000000000000000000001"),
            fields(title=""),
            fields(title=" \u200b\n"),
            fields(title="x" * 121),
            fields(body="x" * 1_001),
            fields(link=""),
            fields(link="/" + "x" * 500),
            fields(link="javascript:alert(1)"),
            fields(category="Orders!"),
            fields(category=""),
            fields(key=""),
            fields(key="x" * 129),
            fields(colour="red"),
        ],
    )
    def test_is_refused_if_it_is_anything_else(self, malformed):
        with pytest.raises(MalformedNotificationError):
            parse_draft(malformed)


class TestALink:
    @pytest.mark.parametrize(
        "link", ["/", "/orders/ord_1?a=b#c", "https://example.org/x", "https://example.org:8443"]
    )
    def test_leads_into_the_shop_or_to_a_host_over_https(self, link):
        assert is_good_link(link)

    @pytest.mark.parametrize(
        "link",
        [
            "orders",
            "//example.org",
            "/\\example.org",
            "http://example.org",
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            "data:text/html,x",
            "https://",
            "https:example.org",
            "https://user@example.org",
            "https://[",
            "/a\nb",
            "/a b",
            "/a\u202eb",
            "",
        ],
    )
    def test_leads_nowhere_else(self, link):
        assert not is_good_link(link)
