"""The page on which somebody pays: without a script, and nothing on it comes from elsewhere."""

import re
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from deploy.engines.ports import free_port
from tests.contracts.stripe.account import SECRET_KEY
from tests.contracts.stripe.standin import running_standin

BACK = "https://shop.example/orders/1?tab=pay"
GOOD = "4242424242424242"
DECLINED = "4000000000000002"
ASKS = "4000002760003184"


@pytest.fixture(scope="module")
def browser(scratch_folder):
    with (
        running_standin(free_port(), file=scratch_folder / "page.sqlite") as url,
        httpx.Client(base_url=url, timeout=20, trust_env=False) as client,
    ):
        yield client


def api(browser, method, path, **form):
    answer = browser.request(
        method,
        f"/v1/{path}",
        headers={"Authorization": f"Bearer {SECRET_KEY}"},
        **({"data": form} if form else {}),
    )
    return answer.json()


@pytest.fixture
def intent(browser):
    return api(
        browser, "POST", "payment_intents", amount="1250", currency="eur", description="<b>A</b>"
    )


def open_page(browser, intent):
    return browser.get(
        f"/pay/{intent['id']}",
        params={"client_secret": intent["client_secret"], "return_url": BACK},
    )


def pay(browser, intent, number, **more):
    form = {"client_secret": intent["client_secret"], "return_url": BACK, "number": number}
    return browser.post(f"/pay/{intent['id']}", data={**form, **more})


def follow(browser, answer):
    assert answer.status_code == 303
    return browser.get(answer.headers["location"])


class TestThePage:
    def test_shows_the_amount_and_the_test_cards(self, browser, intent):
        page = open_page(browser, intent)

        assert page.status_code == 200
        assert "12.50 EUR" in page.text
        assert "4242 4242 4242 4242" in page.text
        assert "&lt;b&gt;A&lt;/b&gt;" in page.text

    def test_runs_nothing_and_loads_nothing_of_others(self, browser, intent):
        page = open_page(browser, intent)

        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "<script" not in page.text
        assert not re.search(r"style=|https?://(?!shop\.example)", page.text)
        assert browser.get("/page/page.css").status_code == 200
        assert page.headers["referrer-policy"] == "no-referrer"

    def test_pays_and_leads_back_with_what_stripe_adds(self, browser, intent):
        done = follow(browser, pay(browser, intent, GOOD))

        [back] = re.findall(r'href="(https://shop\.example[^"]+)"', done.text)
        query = parse_qs(urlsplit(back.replace("&amp;", "&")).query)
        assert "12.50 EUR paid" in done.text
        assert query["tab"] == ["pay"]
        assert query["payment_intent"] == [intent["id"]]
        assert query["redirect_status"] == ["succeeded"]
        assert api(browser, "GET", f"payment_intents/{intent['id']}")["status"] == "succeeded"

    def test_takes_a_card_that_is_only_chosen(self, browser, intent):
        done = follow(browser, pay(browser, intent, "", card=GOOD))

        assert "12.50 EUR paid" in done.text

    def test_says_why_a_card_is_refused_and_lets_one_try_another(self, browser, intent):
        refused = pay(browser, intent, DECLINED)
        done = follow(browser, pay(browser, intent, GOOD))

        assert refused.status_code == 402
        assert "Your card was declined." in refused.text
        assert "paid" in done.text

    def test_takes_no_real_card(self, browser, intent):
        refused = pay(browser, intent, "4929123123123127")

        assert refused.status_code == 422
        assert "Only the test cards work here" in refused.text
        assert "4929123123123127" not in refused.text

    @pytest.mark.parametrize(
        ("verdict", "status", "says"),
        [
            ("complete", "succeeded", "12.50 EUR paid"),
            ("fail", "requires_payment_method", "Not paid"),
        ],
    )
    def test_asks_the_cardholder_when_the_bank_does(self, browser, intent, verdict, status, says):
        question = follow(browser, pay(browser, intent, ASKS))

        answer = browser.post(
            f"/challenge/{intent['id']}",
            data={"client_secret": intent["client_secret"], "verdict": verdict},
        )

        assert "Is this you?" in question.text
        assert says in follow(browser, answer).text
        assert api(browser, "GET", f"payment_intents/{intent['id']}")["status"] == status

    def test_is_shown_only_to_those_who_know_the_secret(self, browser, intent):
        stranger = {**intent, "client_secret": "pi_x_secret_y"}

        assert open_page(browser, stranger).status_code == 404
        assert pay(browser, stranger, GOOD).status_code == 404

    def test_of_a_paid_intent_says_so(self, browser, intent):
        pay(browser, intent, GOOD)

        again = open_page(browser, intent)

        assert "paid" in follow(browser, again).text

    def test_keeps_a_card_for_later_too(self, browser):
        setup = api(browser, "POST", "setup_intents", **{"payment_method_types[0]": "card"})

        page = open_page(browser, setup)
        done = follow(browser, pay(browser, setup, GOOD))

        assert "Keep a card" in page.text
        assert "The card is kept" in done.text
        assert api(browser, "GET", f"setup_intents/{setup['id']}")["status"] == "succeeded"

    def test_is_no_way_to_lead_people_to_a_script(self, browser, intent):
        pay(browser, intent, GOOD)

        done = browser.get(
            f"/pay/{intent['id']}/done",
            params={"client_secret": intent["client_secret"], "return_url": "javascript:alert(1)"},
        )

        assert "javascript:" not in done.text
