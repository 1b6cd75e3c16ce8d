import re

from commerce.accounts.model import DEMO_USERS
from commerce.cart.model import CART_LINES_MAX
from commerce.chat.model import TITLE_CHARS_MAX, cleaned_text
from commerce.seed.content.shelves import read_names, read_shelves, read_talks

SHELVES = read_shelves()
LISTINGS = [listing for shelf in SHELVES for listing in shelf.products]
TALKS = read_talks()


class TestTheShelves:
    def test_hold_at_least_two_hundred_products_in_eight_categories(self):
        assert len(SHELVES) == 8
        assert len(LISTINGS) >= 200

    def test_hold_no_two_of_the_same_name(self):
        assert len({listing.slug for listing in LISTINGS}) == len(LISTINGS)
        assert len({listing.summary for listing in LISTINGS}) == len(LISTINGS)
        assert len({listing.story for listing in LISTINGS}) == len(LISTINGS)

    def test_hold_names_that_fit_into_an_address(self):
        assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", listing.slug) for listing in LISTINGS)

    def test_give_at_least_twenty_away(self):
        assert sum(listing.price == 0 for listing in LISTINGS) >= 20

    def test_hold_some_that_can_run_out(self):
        limited = [listing for listing in LISTINGS if listing.stock is not None]

        assert len(limited) >= 10
        assert all(0 < listing.stock <= 100 for listing in limited)

    def test_tell_of_each_product_in_several_paragraphs(self):
        for shelf in SHELVES:
            for place, _ in enumerate(shelf.products):
                assert len(shelf.describe(place).split("\n\n")) >= 4

    def test_sell_a_product_in_ways_that_differ_in_price(self):
        for shelf in SHELVES:
            for listing in shelf.products:
                percents = [tier.percent for tier in shelf.tiers_of(listing)]
                assert percents == sorted(set(percents))
                assert len(percents) <= CART_LINES_MAX


class TestWhatPeopleSay:
    def test_is_said_by_three_at_most(self):
        about = [thread for threads in TALKS.about.values() for thread in threads]
        grouped = [thread for group in TALKS.groups for thread in group.threads]
        for thread in (*TALKS.about_anything, *about, *grouped):
            assert {line[:3] for line in thread} <= {"A: ", "B: ", "C: "}
            assert thread[0].startswith("A: ")
        for thread in TALKS.between_two:
            assert {line[:3] for line in thread} <= {"A: ", "B: "}

    def test_is_what_a_message_may_be(self):
        for thread in TALKS.about_anything:
            assert all(cleaned_text(line) == line for line in thread)

    def test_is_said_about_every_category(self):
        assert set(TALKS.about) == {shelf.slug for shelf in SHELVES}

    def test_is_said_in_groups_whose_names_are_short_enough(self):
        assert all(len(group.title) <= TITLE_CHARS_MAX for group in TALKS.groups)


def test_there_is_a_name_for_every_demo_user():
    assert len(set(read_names())) == DEMO_USERS
