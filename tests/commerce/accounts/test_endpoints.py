"""Accounts over HTTP."""

import asyncio

import msgspec
import pytest
import pytest_asyncio

from commerce.accounts import service
from commerce.accounts.adapters.redis_sessions import RedisSessions
from commerce.accounts.model import NewUser, User
from commerce.accounts.settings import AccountSettings
from commerce.app import create_app
from commerce.settings import CommerceSettings
from protocol.events import SessionRevoked
from protocol.stream_names import EVERY_SIGN_IN, user_ended_sign_ins
from protocol.topics import user_topic
from shared.tickets import DEV_VERIFYING_KEY, TicketVerifier
from tests.builders import a_user_id
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


class TestBanning:
    @pytest_asyncio.fixture
    async def user(self, client):
        return (await (await register(client)).get_json())["user"]["id"]

    @pytest_asyncio.fixture
    async def staff(self, app, database, redis, clock):
        """A client of somebody who works here."""
        new = NewUser(id=a_user_id(), email="s@b.co", name="Sam", roles=("staff",))
        async with database.transaction() as tx:
            await service.import_user(tx, new)
        user = User(id=new.id, email=new.email, name=new.name, roles=new.roles)
        token, _ = await RedisSessions(redis, clock).begin(user)
        return Staff(app.test_client(), new.id, {"authorization": f"Bearer {token}"})

    async def test_ends_every_sign_in_and_socket_and_lets_no_new_one_begin(
        self, client, app, staff, user, database, redis
    ):
        await sign_in(app.test_client())

        response = await staff.ban(user, "spam")

        assert response.status_code == 200
        told = await response.get_json()
        assert (told["user"], told["banned_by"], told["reason"]) == (user, staff.id, "spam")
        assert (await client.get("/v1/me")).status_code == 401
        again = await sign_in(client)
        assert (again.status_code, await code_of(again)) == (403, "account_banned")
        assert await redis.keys("session:*") == [await staff.session_key(redis)]
        assert set(await events_told(database, user_topic(user))) == {SessionRevoked()}
        assert await redis.hget(user_ended_sign_ins(user), EVERY_SIGN_IN)

    async def test_refuses_a_ticket_to_a_sign_in_that_outlived_it(
        self, client, staff, user, redis, clock
    ):
        await staff.ban(user, "spam")
        banned = User(id=user, email="ada@example.org", name="Ada")
        token, _ = await RedisSessions(redis, clock).begin(banned)

        response = await client.post(
            "/v1/tickets", headers=SAME_ORIGIN | {"authorization": f"Bearer {token}"}
        )

        assert (response.status_code, await code_of(response)) == (403, "account_banned")

    async def test_leaves_no_session_behind_when_it_races_a_sign_in(
        self, client, app, staff, user, redis
    ):
        for _ in range(3):
            answers = await asyncio.gather(
                staff.ban(user, "spam"), *(sign_in(app.test_client()) for _ in range(3))
            )
            keys = await redis.keys("session:*")
            await staff.lift(user)

            assert answers[0].status_code == 200
            assert keys == [await staff.session_key(redis)]

    async def test_can_be_taken_back(self, client, staff, user):
        await staff.ban(user, "spam")

        response = await staff.lift(user)

        assert response.status_code == 204
        assert (await sign_in(client)).status_code == 201
        assert (await client.post("/v1/tickets", headers=SAME_ORIGIN)).status_code == 201

    async def test_again_keeps_the_day_and_takes_the_new_reason(self, staff, user, clock):
        first = await (await staff.ban(user, "spam")).get_json()
        clock.advance(minutes=1)
        second = await (await staff.ban(user, "fraud")).get_json()

        assert second == first | {"reason": "fraud"}

    async def test_is_for_staff_alone(self, client, user):
        for answer in (
            await client.put(f"/v1/users/{user}/ban", json={"reason": "x"}, headers=SAME_ORIGIN),
            await client.delete(f"/v1/users/{user}/ban", headers=SAME_ORIGIN),
        ):
            assert (answer.status_code, await code_of(answer)) == (403, "forbidden")
        assert (await client.get("/v1/me")).status_code == 200

    async def test_of_staff_or_of_nobody_is_refused(self, staff):
        colleague, nobody = await staff.ban(staff.id, "x"), await staff.ban(a_user_id(), "x")

        assert (colleague.status_code, await code_of(colleague)) == (409, "staff_not_bannable")
        assert (nobody.status_code, await code_of(nobody)) == (404, "user_not_found")
        assert (await staff.lift(a_user_id())).status_code == 404

    async def test_needs_a_reason(self, staff, user):
        assert (await staff.ban(user, "")).status_code == 422


class Staff:
    """Somebody who works here, with a client of their own."""

    def __init__(self, client, user, headers):
        self.client, self.id, self.headers = client, user, headers

    async def ban(self, user, reason):
        return await self.client.put(
            f"/v1/users/{user}/ban", json={"reason": reason}, headers=self.headers
        )

    async def lift(self, user):
        return await self.client.delete(f"/v1/users/{user}/ban", headers=self.headers)

    async def session_key(self, redis):
        (digest,) = await redis.smembers(f"user-sessions:{self.id}")
        return b"session:" + digest


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
