import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from commerce.chat.errors import (
    BlankMessageError,
    FixedMembersError,
    InvalidRoomError,
    MessageTooLongError,
)
from commerce.chat.model import (
    JoinedAfter,
    Member,
    cleaned_text,
    cleaned_title,
    direct_pair,
    product_room_id,
    require_group,
    successor,
)
from protocol.commands import MESSAGE_TEXT_BYTES_MAX
from protocol.ids import ProductId, RoomId, UserId
from tests.commerce.chat.world import a_group

NOW = datetime(2026, 11, 23, tzinfo=UTC)


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
        ],
    )
    def test_is_cleaned_of_control_characters(self, written, kept):
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


def test_members_of_a_direct_room_are_fixed():
    group = a_group(RoomId("rom_1"), NOW)

    require_group(group)
    with pytest.raises(FixedMembersError):
        require_group(a_group(RoomId("rom_1"), NOW, kind="direct"))


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
