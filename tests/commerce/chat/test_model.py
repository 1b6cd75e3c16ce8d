import itertools
import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from commerce.chat.errors import (
    BlankMessageError,
    InvalidRoomError,
    MessageTooLongError,
    NotAnEmojiError,
)
from commerce.chat.model import (
    POWERS,
    JoinedAfter,
    Member,
    SearchText,
    called_names,
    cleaned_emoji,
    cleaned_text,
    cleaned_title,
    direct_pair,
    has_power,
    is_above,
    meant_names,
    parse_search,
    powers_of,
    product_room_id,
    successor,
)
from protocol.commands import MESSAGE_TEXT_BYTES_MAX
from protocol.ids import ProductId, RoomId, UserId


class TestTheTextOfAMessage:
    @pytest.mark.parametrize(
        ("written", "kept"),
        [
            ("  hello  ", "hello"),
            ("one\r\ntwo\rthree", "one\ntwo\nthree"),
            ("a\x00b\x07c\x1b[31md\x7f\x9be", "abc[31mde"),
            ("a\tb", "a\tb"),
            ("\ud800x", "x"),
            ("para\u2029graph", "para\ngraph"),
            ("👩\u200d🚀", "👩\u200d🚀"),
            ("\u0645\u06cc\u200c\u062e", "\u0645\u06cc\u200c\u062e"),
            ("🏴\U000e0067\U000e0062\U000e007f", "🏴\U000e0067\U000e0062\U000e007f"),
            ("exe\u202etxt.\u2066a\u2069", "exetxt.a"),
            ("pay\u200bpal\ufeff\u2060\u00ad", "paypal"),
            ("a\u200d\u200d\u200db", "ab"),
            ("\u200d a \u200c", "a"),
            ("hid\U000e0041\U000e0042den", "hidden"),
            ("e\u0301", "é"),
            ("z" + "\u0335" * 40, "z" + "\u0335" * 6),
        ],
    )
    def test_is_cleaned_of_what_nobody_should_see(self, written, kept):
        assert cleaned_text(written) == kept

    @pytest.mark.parametrize(
        "blank", ["", " ", "\n\t", "\u200b\u200d", "\u3164", "\u2800", "\x00", "\ufe0f"]
    )
    def test_must_show_something(self, blank):
        with pytest.raises(BlankMessageError):
            cleaned_text(blank)

    @pytest.mark.parametrize("sign", ["x", "é", "€", "🙂"])
    def test_is_measured_in_bytes(self, sign):
        fits = MESSAGE_TEXT_BYTES_MAX // len(sign.encode())

        assert cleaned_text(sign * fits) == sign * fits
        with pytest.raises(MessageTooLongError):
            cleaned_text(sign * (fits + 1))

    @given(st.text(st.characters()))
    def test_once_cleaned_stays_as_it_is(self, written):
        try:
            kept = cleaned_text(written)
        except (BlankMessageError, MessageTooLongError):
            return

        assert cleaned_text(kept) == kept
        assert len(kept.encode()) <= MESSAGE_TEXT_BYTES_MAX
        assert not any(unicodedata.category(sign) == "Cc" and sign not in "\n\t" for sign in kept)


class TestAReaction:
    @pytest.mark.parametrize(
        "emoji",
        ["👍", "👍🏽", "❤️", "❤", "👨\u200d👩\u200d👧\u200d👦", "🇮🇹", "1️⃣", "🏳️\u200d🌈", "✅"],
    )
    def test_is_one_emoji(self, emoji):
        assert cleaned_emoji(emoji) == emoji

    @pytest.mark.parametrize(
        "text", ["a", "1", "👍👍", "🇮🇹🇮🇹", "👍a", "<b>", " ", "\u200d", "🏽", "+", "👍\u200d", "é"]
    )
    def test_is_nothing_else(self, text):
        with pytest.raises(NotAnEmojiError):
            cleaned_emoji(text)


class TestTheNamesCalledInAText:
    def test_are_the_first_words_after_the_sign(self):
        names = called_names("Hi @Ada Lindqvist, and @BEN! Not ada@example.org.")

        assert meant_names(names, {"ada lindqvist", "ada", "ben"}) == {"ada lindqvist", "ben"}
        assert meant_names(names, {"ada", "example"}) == {"ada"}

    def test_are_looked_for_a_bounded_number_of_times(self):
        calls = called_names("@a b c d e f " * 300)

        assert len(calls) == 10
        assert all(len(call) <= 4 for call in calls)


class TestWhatIsSearchedFor:
    @pytest.mark.parametrize(
        ("typed", "whole", "prefix"),
        [
            ("linux", "", "linux"),
            ("runs on Lin", "runs on", "lin"),
            ('"runs on', '"runs on', ""),
            ("linux or", "linux or", ""),
            ("it's", "it'", "s"),
        ],
    )
    def test_ends_in_the_word_being_typed(self, typed, whole, prefix):
        assert parse_search(typed) == SearchText(whole=whole, prefix=prefix)

    @pytest.mark.parametrize("typed", ["", "  ", "\x00", "&&", "'"])
    def test_may_be_nothing(self, typed):
        assert parse_search(typed) is None


class TestTheTableOfPowers:
    def test_gives_nobody_more_than_those_above_them(self):
        ranks = ["stranger", "member", "moderator", "owner", "staff"]
        for kind in POWERS:
            held = [set(powers_of(kind, rank)) for rank in ranks]
            assert all(lower <= higher for lower, higher in itertools.pairwise(held))

    @pytest.mark.parametrize("kind", POWERS)
    def test_gives_a_plain_member_none(self, kind):
        assert powers_of(kind, "member") == []

    def test_holds_over_lower_ranks_only(self):
        assert is_above("owner", "moderator")
        assert not is_above("moderator", "moderator")
        assert not is_above("moderator", "staff")

    @pytest.mark.parametrize(
        ("kind", "power", "rank", "allowed"),
        [
            ("group", "invite", "moderator", True),
            ("group", "change_roles", "moderator", False),
            ("group", "change_roles", "owner", True),
            ("product", "ban", "member", False),
            ("product", "ban", "moderator", True),
            ("product", "change_roles", "moderator", False),
            ("product", "send_away", "staff", False),
            ("direct", "ban", "owner", False),
            ("support", "ban", "staff", False),
            ("support", "take_back", "moderator", True),
        ],
    )
    def test_says_who_may_do_what(self, kind, power, rank, allowed):
        assert has_power(kind, power, rank) is allowed


class TestTheTitleOfAGroup:
    def test_is_one_line(self):
        assert cleaned_title(" Plans\n for\tMay\x00 ") == "Plans for May"

    def test_fits_eighty_characters(self):
        assert cleaned_title("é" * 80) == "é" * 80
        with pytest.raises(InvalidRoomError):
            cleaned_title("é" * 81)


class TestThePairOfADirectRoom:
    def test_does_not_depend_on_who_asks(self):
        one, other = UserId("usr_1"), UserId("usr_2")

        assert direct_pair(one, other) == direct_pair(other, one)

    def test_is_never_one_person_twice(self):
        with pytest.raises(InvalidRoomError):
            direct_pair(UserId("usr_1"), UserId("usr_1"))


class TestTheHeirOfAGroup:
    def a_member(self, user, *, role="member", day=1):
        return Member(
            room_id=RoomId("rom_1"),
            user_id=UserId(user),
            user_name=user,
            role=role,
            joined_at=datetime(2026, 1, day, tzinfo=UTC),
        )

    def test_is_a_moderator_before_any_member(self):
        elder, moderator = self.a_member("a"), self.a_member("b", role="moderator", day=9)

        assert successor([elder, moderator]) == moderator

    def test_is_the_eldest_of_equals(self):
        younger, elder = self.a_member("a", day=2), self.a_member("b", day=1)

        assert successor([younger, elder]) == elder

    def test_is_nobody_in_an_empty_room(self):
        assert successor([]) is None


def test_a_room_shares_the_ulid_of_its_product():
    assert product_room_id(ProductId("prd_01JD")) == "rom_01JD"


def test_a_place_in_a_list_is_exact_to_the_microsecond():
    moment = datetime(2026, 11, 23, 12, 30, 59, 123457, tzinfo=UTC)
    member = Member(
        room_id=RoomId("rom_1"),
        user_id=UserId("usr_1"),
        user_name="Ada",
        role="owner",
        joined_at=moment,
    )

    assert isinstance(member.place, JoinedAfter)
    assert member.place.joined_at == moment
