"""Accounts over HTTP."""

import asyncio

import msgspec
import pytest
import pytest_asyncio

from commerce.accounts.settings import AccountSettings
from commerce.app import create_app
from commerce.settings import CommerceSettings
from protocol.events import SessionRevoked
from protocol.topics import user_topic
from shared.tickets import DEV_VERIFYING_KEY, TicketVerifier
from tests.commerce.outbox import events_told

ADA = {"email": "Ada@Example.org ", "name": " Ada Lovelace ", "password": "analytical"}
SAME_ORIGIN = {"sec-fetch-site": "same-origin"}
QUICK = AccountSettings(password_memory_kib=8, password_rounds=1, attempts_per_minute=1_000)


@pytest.fixture
def settings():
    return CommerceSettings(accounts=QUICK)


@pytest_asyncio.fixture
async def app(settings, database, redis, clock):
    return create_app(settings, database=database, redis=redis, clock=clock)


@pytest_asyncio.fixture
async def client(app):
    return app.test_client()


async def register(client, **changed):
    return await client.post("/v1/accounts", json=ADA | changed, headers=SAME_ORIGIN)


async def sign_in(client, **changed):
    given = {"email": "ada@example.org", "password": "analytical"} | changed
    return await client.post("/v1/sessions", json=given, headers=SAME_ORIGIN)


async def code_of(response):
    return (await response.get_json())["code"]


class TestRegistering:
    async def test_signs_the_newcomer_in(self, client):
        response = await register(client)

        signed_in = await response.get_json()
        assert response.status_code == 201
        assert signed_in["user"]["email"] == "ada@example.org"
        assert signed_in["user"]["name"] == "Ada Lovelace"
        assert (await client.get("/v1/me")).status_code == 200

    async def test_refuses_an_address_that_is_taken_however_it_is_spelt(self, client):
        await register(client)

        response = await register(client, email="ADA@example.ORG")

        assert (response.status_code, await code_of(response)) == (409, "email_taken")

    async def test_lets_one_of_two_racers_have_the_address(self, client):
        responses = await asyncio.gather(register(client), register(client))

        assert sorted(each.status_code for each in responses) == [201, 409]

    @pytest.mark.parametrize(
        "changed",
        [
            {"email": "not an address"},
            {"email": "a@b"},
            {"email": "a" * 250 + "@b.co"},
            {"name": "   "},
            {"name": "a\x00b"},
            {"name": "n" * 81},
            {"password": "short"},
            {"password": "p" * 129},
            {"roles": ["staff"]},
        ],
    )
    async def test_refuses_what_cannot_be(self, client, changed):
        response = await register(client, **changed)

        assert (response.status_code, await code_of(response)) == (422, "invalid")

    async def test_keeps_no_password(self, client, database):
        await register(client)

        async with database.transaction() as tx:
            kept = await tx.value(str, "select password_hash from users")
        assert kept.startswith("$argon2id$")
        assert "analytical" not in kept


class TestSigningIn:
    async def test_gives_a_cookie_no_script_can_read(self, client):
        await register(client)

        response = await sign_in(client)

        cookie = response.headers["set-cookie"]
        assert response.status_code == 201
        assert cookie.startswith("rialto_session=")
        assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))

    async def test_says_the_same_of_a_wrong_password_and_of_nobody(self, client):
        await register(client)

        wrong = await sign_in(client, password="difference")
        nobody = await sign_in(client, email="nobody@example.org")

        assert (wrong.status_code, nobody.status_code) == (401, 401)
        assert await wrong.get_data() == await nobody.get_data()

    async def test_keeps_only_a_digest_of_the_token(self, client, redis):
        token = (await (await register(client)).get_json())["token"]

        keys = [key.decode() for key in await redis.keys("*session*")]

        assert keys
        assert not any(token in key for key in keys)

    async def test_is_refused_to_pages_of_other_sites(self, client):
        response = await client.post(
            "/v1/sessions",
            json={"email": "a@b.co", "password": "analytical"},
            headers={"origin": "https://evil.example"},
        )

        assert (response.status_code, await code_of(response)) == (403, "cross_origin")

    async def test_may_be_tried_only_so_often_for_one_account(self, client):
        await register(client)

        statuses = [(await sign_in(client, password="difference")).status_code for _ in range(12)]

        assert statuses == [401] * 10 + [429] * 2

    async def test_may_be_tried_only_so_often_from_one_address(self, database, redis, clock):
        settings = CommerceSettings(accounts=msgspec.structs.replace(QUICK, attempts_per_minute=3))
        client = create_app(settings, database=database, redis=redis, clock=clock).test_client()

        statuses = [
            (await sign_in(client, email=f"user{number}@example.org")).status_code
            for number in range(4)
        ]

        assert statuses == [401, 401, 401, 429]


class TestASession:
    async def test_is_known_by_its_token_too(self, client, app):
        token = (await (await register(client)).get_json())["token"]

        response = await app.test_client().get(
            "/v1/me", headers={"authorization": f"Bearer {token}"}
        )

        assert (await response.get_json())["name"] == "Ada Lovelace"

    async def test_ends_everywhere_it_is_used_when_signed_out(self, client, app, database):
        signed_in = await (await register(client)).get_json()

        response = await client.delete("/v1/sessions/current", headers=SAME_ORIGIN)

        assert response.status_code == 204
        assert "Max-Age=0" in response.headers["set-cookie"]
        stolen = {"authorization": f"Bearer {signed_in['token']}"}
        assert (await app.test_client().get("/v1/me", headers=stolen)).status_code == 401
        (event,) = await events_told(database, user_topic(signed_in["user"]["id"]))
        assert isinstance(event, SessionRevoked)
        assert event.session is not None

    async def test_may_be_ended_twice(self, client):
        await register(client)
        await client.delete("/v1/sessions/current", headers=SAME_ORIGIN)

        response = await client.delete("/v1/sessions/current", headers=SAME_ORIGIN)

        assert response.status_code == 204

    async def test_that_is_unreadable_counts_as_none(self, client, redis):
        await register(client)
        (key,) = await redis.keys("session:*")
        await redis.set(key, "of another version")

        assert (await client.get("/v1/me")).status_code == 401

    async def test_that_redis_has_lost_is_over_and_its_owner_is_told_to_sign_in_again(
        self, client, redis
    ):
        await register(client)

        await redis.flushall()
        lost = await client.get("/v1/me")
        again = await sign_in(client)

        assert (lost.status_code, await code_of(lost)) == (401, "unauthenticated")
        assert again.status_code == 201
        assert (await client.get("/v1/me")).status_code == 200

    async def test_over_tls_is_bound_to_the_host(self, database, redis, clock):
        settings = CommerceSettings(accounts=QUICK)
        secure = msgspec.structs.replace(
            settings, web=msgspec.structs.replace(settings.web, cookie_secure=True)
        )
        client = create_app(secure, database=database, redis=redis, clock=clock).test_client()

        response = await register(client)

        assert response.headers["set-cookie"].startswith("__Host-rialto_session=")
        assert response.headers["set-cookie"].endswith("; Secure")
        assert "strict-transport-security" in response.headers


class TestATicket:
    async def test_opens_the_socket_of_this_session(self, client, clock):
        signed_in = await (await register(client)).get_json()

        response = await client.post("/v1/tickets", headers=SAME_ORIGIN)

        view = await response.get_json()
        claims = TicketVerifier((DEV_VERIFYING_KEY,)).verify(view["ticket"], clock.now())
        assert claims.sub == signed_in["user"]["id"]
        assert claims.name == "Ada Lovelace"
        assert view["expires_in_ms"] == 300_000
        assert view["socket_url"] == "ws://localhost:8301/ws"

    async def test_is_for_those_who_are_signed_in(self, client):
        assert (await client.post("/v1/tickets", headers=SAME_ORIGIN)).status_code == 401


class TestADemoUser:
    async def test_is_the_same_one_each_time(self, client):
        answers = [
            await (await client.post("/v1/sessions/demo", json={"user": 7})).get_json()
            for _ in range(2)
        ]

        assert answers[0]["user"] == answers[1]["user"]
        assert answers[0]["token"] != answers[1]["token"]

    async def test_is_any_of_fifty_when_none_is_named(self, client):
        response = await client.post("/v1/sessions/demo", json={})

        assert (await response.get_json())["user"]["email"].startswith("demo")

    async def test_exists_in_the_dev_profile_only(self, settings, database, redis, clock):
        staging = msgspec.structs.replace(settings, profile="staging")
        client = create_app(staging, database=database, redis=redis, clock=clock).test_client()

        response = await client.post("/v1/sessions/demo", json={})

        assert response.status_code in {404, 405}
