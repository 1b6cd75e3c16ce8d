"""The door: what goes in, what comes out, and the one shape of every refusal."""

import asyncio

import msgspec
import pytest
import pytest_asyncio
from quart import Quart

from commerce.app import create_app
from commerce.foundation.answering import (
    REQUEST_BODY_BYTES_MAX,
    install_request_log,
    open_doors,
)
from commerce.foundation.http import Call, Door, Principal, WebContext
from commerce.foundation.idempotency import forget_old_keys
from commerce.foundation.pagination import PageQuery
from commerce.foundation.problems import install_problems
from commerce.foundation.rate_limit import RateLimit, RateLimiter
from commerce.foundation.security import SessionCookie
from commerce.settings import CommerceSettings
from protocol.ids import SessionId
from shared.errors import ExpectedError
from tests.builders import a_user_id

ORIGIN = "https://shop.example"
ADA = Principal(user=a_user_id(), name="Ada", session=SessionId("ses_1"), roles=("staff",))
BEN = Principal(user=a_user_id(), name="Ben", session=SessionId("ses_2"))
TOKENS = {"ada": ADA, "ben": BEN}


class Parcel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    label: str
    weight: int = 1


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    label: str
    count: int
    by: str | None = None


class ParcelLostError(ExpectedError):
    """The parcel is nowhere to be found."""

    code = "parcel_lost"
    http_status = 404


class Tokens:
    async def authenticate(self, token):
        return TOKENS.get(token)


class Counting:
    """How often an endpoint ran, and the gate it waits at."""

    def __init__(self):
        self.runs = 0
        self.reached = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()
        self.fail = None


door = Door("parcels")


@door.api("POST", "/v1/parcels", body=Parcel, out=Receipt, status=201)
async def send_parcel(call: Call[Parcel, None]) -> Receipt:
    """Send a parcel."""
    counting = call.service(Counting)
    async with call.database.transaction() as tx:
        counting.runs += 1
        await tx.execute(
            "insert into inbox (consumer, message_key, received_at) values ($1, $2, $3)",
            "parcels",
            tx.mint("par"),
            tx.now,
        )
        count = await tx.value(int, "select count(*) from inbox")
        counting.reached.set()
        await counting.gate.wait()
        if counting.fail is not None:
            raise counting.fail
        if call.body.label == "nul":
            await tx.execute("select $1::text", "\x00")
    return Receipt(label=call.body.label, count=count, by=call.principal.name)


@door.api("GET", "/v1/parcels/{label}", query=PageQuery, out=Receipt, auth="optional")
async def find_parcel(call: Call[None, PageQuery]) -> Receipt:
    """Find a parcel."""
    if call.path["label"] == "lost":
        raise ParcelLostError("That parcel was lost.")
    if call.path["label"] == "bug":
        raise ZeroDivisionError("with a secret in it")
    who = call.principal_or_none
    return Receipt(label=call.path["label"], count=call.query.limit, by=who.name if who else None)


@door.api("DELETE", "/v1/parcels/{label}", status=204)
async def drop_parcel(call: Call[None, None]) -> None:
    """Drop a parcel."""
    call.require_role("staff")


@door.api(
    "POST",
    "/v1/stamps",
    status=204,
    auth="none",
    limit=RateLimit(name="stamps", count=2, per_seconds=60),
)
async def stamp(call: Call[None, None]) -> None:
    """Stamp."""


@door.api("POST", "/v1/guesses", body=Parcel, out=Receipt, auth="optional")
async def guess(call: Call[Parcel, None]) -> Receipt:
    """Guess what is in a parcel."""
    counting = call.service(Counting)
    counting.runs += 1
    return Receipt(label=call.body.label, count=counting.runs)


@door.api(
    "POST",
    "/v1/payings",
    body=Parcel,
    out=Receipt,
    auth="optional",
    idempotency="required",
    calls_outside=True,
)
async def pay_for_parcel(call: Call[Parcel, None]) -> Receipt:
    """Write down what is about to be paid, call the outside, and write down what came of it."""
    counting = call.service(Counting)
    async with call.database.transaction() as tx:
        counting.runs += 1
        await tx.execute(
            "insert into inbox (consumer, message_key, received_at) values ($1, $2, $3)",
            "payings",
            tx.mint("par"),
            tx.now,
        )
    counting.reached.set()
    await counting.gate.wait()
    if counting.fail is not None:
        raise counting.fail
    return Receipt(label=call.body.label, count=counting.runs)


@door.api(
    "POST", "/v1/letters", body=bytes, auth="none", idempotency="none", body_bytes_max=100_000
)
async def post_letter(call: Call[bytes, None]) -> None:
    """Post a letter of any size that fits."""
    call.service(Counting).runs = len(call.body)


@pytest.fixture
def counting():
    return Counting()


@pytest_asyncio.fixture
async def client(database, redis, clock, counting):
    app = Quart("test", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = REQUEST_BODY_BYTES_MAX
    install_request_log(app)
    install_problems(app)
    context = WebContext(
        database=database,
        redis=redis,
        clock=clock,
        authenticator=Tokens(),
        limiter=RateLimiter(redis),
        cookie=SessionCookie(secure=False),
        allowed_origins=(ORIGIN,),
        services={Counting: counting},
    )
    open_doors(app, (door,), context)
    return app.test_client()


def signed_in(who="ada", **headers):
    return {"authorization": f"Bearer {who}", **headers}


async def send(client, label="a", *, key=None, who="ada"):
    headers = signed_in(who) | ({} if key is None else {"idempotency-key": key})
    return await client.post("/v1/parcels", json={"label": label}, headers=headers)


async def sent_count(database):
    async with database.transaction() as tx:
        return await tx.value(int, "select count(*) from inbox")


class TestAnAnswer:
    async def test_is_what_the_endpoint_gave(self, client):
        response = await send(client)

        assert response.status_code == 201
        assert response.content_type == "application/json"
        assert await response.get_json() == {"label": "a", "count": 1, "by": "Ada"}

    async def test_may_have_no_body(self, client):
        response = await client.delete("/v1/parcels/a", headers=signed_in())

        assert response.status_code == 204
        assert await response.get_data() == b""

    async def test_reads_path_and_query(self, client):
        response = await client.get("/v1/parcels/a?limit=7")

        assert await response.get_json() == {"label": "a", "count": 7, "by": None}

    async def test_names_the_request(self, client):
        first, second = await client.get("/v1/parcels/a"), await client.get("/v1/parcels/a")

        assert first.headers["x-request-id"] != second.headers["x-request-id"]


class TestARefusal:
    @pytest.mark.parametrize(
        ("method", "path", "given", "status", "code"),
        [
            ("GET", "/v1/parcels/lost", {}, 404, "parcel_lost"),
            ("GET", "/v1/nothing", {}, 404, "not_found"),
            ("PUT", "/v1/parcels", {}, 405, "method_not_allowed"),
            ("GET", "/v1/parcels/bug", {}, 500, "internal"),
            ("GET", "/v1/parcels/a%00b", {}, 422, "invalid"),
            ("GET", "/v1/parcels/a?limit=0", {}, 422, "invalid"),
            ("GET", "/v1/parcels/a?color=red", {}, 422, "invalid"),
            ("POST", "/v1/parcels", {"json": {"label": "a"}}, 401, "unauthenticated"),
        ],
    )
    async def test_is_a_problem(self, client, method, path, given, status, code):
        response = await client.open(path, method=method, **given)

        problem = await response.get_json()
        assert response.status_code == status
        assert response.content_type == "application/problem+json"
        assert problem["code"] == code
        assert problem["status"] == status
        assert problem["type"] == f"/problems/{code}"
        assert problem["title"]
        assert problem["detail"]

    @pytest.mark.parametrize(
        ("body", "kind", "status", "code"),
        [
            (b"{", "application/json", 400, "malformed"),
            (b"\xff\xfe", "application/json", 400, "malformed"),
            (b'{"label": 1}', "application/json", 422, "invalid"),
            (b'{"label": "a", "color": "red"}', "application/json", 422, "invalid"),
            (b'{"label": "nul"}', "application/json", 422, "invalid"),
            (b'{"label": "a"}', "text/plain", 415, "unsupported_media_type"),
            (b" " * (REQUEST_BODY_BYTES_MAX + 1), "application/json", 413, "too_large"),
        ],
    )
    async def test_of_a_body_says_what_is_wrong_with_it(self, client, body, kind, status, code):
        response = await client.post(
            "/v1/parcels", data=body, headers=signed_in(**{"content-type": kind})
        )

        assert (response.status_code, (await response.get_json())["code"]) == (status, code)

    async def test_of_a_bug_tells_nothing_of_how(self, client):
        response = await client.get("/v1/parcels/bug")

        text = await response.get_data(as_text=True)
        assert "secret" not in text
        assert "Traceback" not in text

    async def test_of_a_method_names_those_allowed(self, client):
        response = await client.open("/v1/parcels", method="PUT")

        assert response.headers["allow"] == "POST"

    async def test_of_a_role_is_told_apart_from_no_sign_in(self, client):
        response = await client.delete("/v1/parcels/a", headers=signed_in("ben"))

        assert response.status_code == 403

    async def test_of_one_too_many_says_when_to_try_again(self, client):
        responses = [await client.post("/v1/stamps") for _ in range(3)]

        assert [each.status_code for each in responses] == [204, 204, 429]
        assert responses[0].headers["ratelimit"] == '"stamps";r=1;t=30'
        assert 0 < int(responses[2].headers["retry-after"]) <= 30

    async def test_when_redis_is_away_is_temporary(self, client, redis):
        await redis.connection_pool.disconnect()
        redis.connection_pool.connection_kwargs["port"] = 1

        response = await client.post("/v1/stamps")

        assert response.status_code == 503
        assert (await response.get_json())["temporary"] is True
        assert "retry-after" in response.headers


class TestAChangeAskedForWithTheCookie:
    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ({"origin": ORIGIN}, 204),
            ({"origin": "http://localhost"}, 204),
            ({"sec-fetch-site": "same-origin"}, 204),
            ({"sec-fetch-site": "none"}, 204),
            ({"origin": "https://evil.example"}, 403),
            ({"origin": "https://evil.example", "sec-fetch-site": "same-origin"}, 403),
            ({"origin": "null"}, 403),
            ({"sec-fetch-site": "same-site"}, 403),
            ({"sec-fetch-site": "cross-site"}, 403),
            ({}, 403),
        ],
    )
    async def test_must_come_from_our_own_pages(self, client, headers, status):
        client.set_cookie("localhost", "rialto_session", "ada")

        response = await client.delete("/v1/parcels/a", headers=headers)

        assert response.status_code == status

    async def test_may_be_read_from_anywhere(self, client):
        client.set_cookie("localhost", "rialto_session", "ada")

        response = await client.get("/v1/parcels/a", headers={"origin": "https://evil.example"})

        assert (await response.get_json())["by"] == "Ada"

    async def test_is_taken_from_anywhere_with_a_token_instead(self, client):
        response = await client.delete(
            "/v1/parcels/a", headers=signed_in(origin="https://evil.example")
        )

        assert response.status_code == 204


class TestAnIdempotencyKey:
    async def test_makes_a_repeated_request_answer_the_same(self, client, database):
        first = await send(client, key="k1")
        second = await send(client, key="k1")

        assert second.status_code == first.status_code == 201
        assert await second.get_data() == await first.get_data()
        assert second.headers["idempotency-replayed"] == "true"
        assert await sent_count(database) == 1

    async def test_with_another_payload_is_refused(self, client, database):
        await send(client, "a", key="k1")

        response = await send(client, "b", key="k1")

        assert (response.status_code, (await response.get_json())["code"]) == (422, "key_reused")
        assert await sent_count(database) == 1

    async def test_is_each_users_own(self, client, database):
        await send(client, key="k1", who="ada")
        await send(client, key="k1", who="ben")

        assert await sent_count(database) == 2

    async def test_of_a_request_in_flight_says_to_wait(self, client, counting, database):
        counting.gate.clear()
        first = asyncio.create_task(send(client, key="k1"))
        await counting.reached.wait()

        second = await send(client, key="k1")

        assert second.status_code == 409
        assert second.headers["retry-after"] == "1"
        assert (await second.get_json())["temporary"] is True
        counting.gate.set()
        assert (await first).status_code == 201
        assert await sent_count(database) == 1

    async def test_of_a_refused_request_is_free_again(self, client, counting, database):
        counting.fail = ParcelLostError("Lost.")
        refused = await send(client, key="k1")
        counting.fail = None

        again = await send(client, key="k1")

        assert (refused.status_code, again.status_code) == (404, 201)
        assert await sent_count(database) == 1

    async def test_lets_only_one_of_many_racers_through(self, client, database):
        responses = await asyncio.gather(*(send(client, key="k1") for _ in range(6)))

        statuses = {each.status_code for each in responses}
        assert 201 in statuses
        assert statuses <= {201, 409}
        assert await sent_count(database) == 1

    async def test_whose_lease_ran_out_is_carried_out_by_another_and_never_twice(
        self, client, counting, database, clock
    ):
        counting.gate.clear()
        slow = asyncio.create_task(send(client, key="k1"))
        await counting.reached.wait()
        clock.advance(seconds=61)
        counting.reached.clear()
        other = asyncio.create_task(send(client, key="k1"))
        await counting.reached.wait()

        counting.gate.set()
        statuses = sorted([(await slow).status_code, (await other).status_code])

        assert statuses == [201, 409]
        assert await sent_count(database) == 1

    async def test_is_forgotten_after_three_days(self, client, database, clock):
        await send(client, key="k1")
        clock.advance(hours=73)
        async with database.transaction() as tx:
            await forget_old_keys(tx)

        await send(client, key="k1")

        assert await sent_count(database) == 2

    @pytest.mark.parametrize("key", ["", "k" * 256, "with space"])
    async def test_must_be_a_key(self, client, key):
        response = await send(client, key=key)

        assert response.status_code == 422


class TestADoor:
    def test_refuses_an_endpoint_whose_types_are_not_what_it_was_told(self):
        told = Door("parcels")

        async def find(call: Call[None, None]) -> Parcel:
            """Find."""
            raise NotImplementedError

        with pytest.raises(TypeError, match="door was told"):
            told.api("GET", "/v1/parcels", out=Receipt)(find)


class TestAKeyOfSomebodyWhoIsNotSignedIn:
    async def test_is_kept_under_the_guests_cart(self, client):
        client.set_cookie("localhost", "rialto_cart", "cart-of-a-guest")
        first = await guess_of(client)
        second = await guess_of(client)
        client.set_cookie("localhost", "rialto_cart", "cart-of-another")
        other = await guess_of(client)

        assert [await each.get_data() for each in (first, second)] == [await first.get_data()] * 2
        assert second.headers["idempotency-replayed"] == "true"
        assert (await other.get_json())["count"] == 2

    async def test_counts_for_nothing_without_a_cart(self, client):
        first, second = await guess_of(client), await guess_of(client)

        assert [(await each.get_json())["count"] for each in (first, second)] == [1, 2]


class TestWhereMoneyMoves:
    async def test_a_key_must_come(self, client):
        refused = await client.post("/v1/payings", json={"label": "a"}, headers=signed_in())

        assert (refused.status_code, (await refused.get_json())["code"]) == (400, "key_missing")

    async def test_what_is_to_be_done_is_committed_before_the_outside_is_called(
        self, client, counting, database
    ):
        counting.gate.clear()
        paying = asyncio.create_task(pay(client))
        await counting.reached.wait()

        assert await sent_count(database) == 1
        counting.gate.set()
        assert (await paying).status_code == 200

    async def test_a_repeated_request_is_answered_the_same(self, client, database):
        first, second = await pay(client), await pay(client)

        assert await first.get_data() == await second.get_data()
        assert await sent_count(database) == 1

    async def test_the_same_key_of_a_stranger_needs_the_same_body(self, client):
        first = await pay(client, who=None)
        second = await pay(client, "b", who=None)

        assert (first.status_code, second.status_code) == (200, 422)


class TestALargeBody:
    async def test_is_taken_where_the_route_says_so_and_only_there(self, client, counting):
        large = b"x" * (REQUEST_BODY_BYTES_MAX + 1)
        taken = await client.post("/v1/letters", data=large)
        elsewhere = await client.post("/v1/parcels", data=large, headers=signed_in())
        too_large = await client.post("/v1/letters", data=b"x" * 100_001)

        assert (taken.status_code, counting.runs) == (200, len(large))
        assert (elsewhere.status_code, too_large.status_code) == (413, 413)


async def guess_of(client, label="a"):
    headers = {"idempotency-key": "k1", "origin": ORIGIN}
    return await client.post("/v1/guesses", json={"label": label}, headers=headers)


async def pay(client, label="a", *, who="ada"):
    headers = {} if who is None else signed_in(who)
    return await client.post(
        "/v1/payings", json={"label": label}, headers=headers | {"idempotency-key": "k1"}
    )


class TestStatements:
    async def test_are_counted_in_dev_and_told_with_the_answer(self, database, redis, clock):
        client = create_app(
            CommerceSettings(), database=database, redis=redis, clock=clock
        ).test_client()

        answer = await client.get("/v1/products")

        assert 1 <= int(answer.headers["x-rialto-statements"]) <= 3

    async def test_are_told_nobody_elsewhere(self, database, redis, clock):
        settings = msgspec.structs.replace(CommerceSettings(), profile="staging")
        client = create_app(settings, database=database, redis=redis, clock=clock).test_client()

        answer = await client.get("/v1/products")

        assert "x-rialto-statements" not in answer.headers
