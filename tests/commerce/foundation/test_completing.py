"""Requests that are broken off past a recovery point, and what finishes them.

A process that dies leaves its key leased; so does, here, a request that is held at its gate while
the clock goes on. When it is let go it is late, and must change nothing any more.
"""

import asyncio

import msgspec
import pytest
import pytest_asyncio
from quart import Quart

from commerce.foundation.answering import install_request_log, open_doors
from commerce.foundation.completing import Completer
from commerce.foundation.http import Call, Door, Principal, WebContext
from commerce.foundation.idempotency import ATTEMPTS_MAX
from commerce.foundation.pagination import PageQuery
from commerce.foundation.problems import install_problems
from commerce.foundation.rate_limit import RateLimiter
from commerce.foundation.security import SessionCookie
from protocol.ids import SessionId
from shared.errors import ExpectedError
from tests.builders import a_user_id

ADA = Principal(user=a_user_id(), name="Ada", session=SessionId("ses_1"), roles=("staff",))
TOKEN = "a-token-nobody-may-keep"
KEY = "k1"


class Cargo(msgspec.Struct, frozen=True, kw_only=True):
    goods: str


class Arrived(msgspec.Struct, frozen=True, kw_only=True):
    ship: str
    goods: str
    limit: int
    by: str
    key: str | None


class SunkError(ExpectedError):
    """The ship has sunk."""

    code = "sunk"
    http_status = 409


class FogError(ExpectedError):
    """Nobody sees where the ship is."""

    code = "fog"
    http_status = 503
    temporary = True


class Tokens:
    async def authenticate(self, token):
        return ADA if token == TOKEN else None


class Sea:
    """Where a voyage is held or fails; `points` are those it may be held at."""

    def __init__(self):
        self.voyages = 0
        self.resumed = []
        self.held = None
        self.reached = asyncio.Event()
        self.gate = asyncio.Event()
        self.failure = None

    async def pass_by(self, point):
        if point == self.held:
            self.held = None
            self.reached.set()
            await self.gate.wait()
        if point in {"sailed", "built"} and self.failure is not None:
            raise self.failure


door = Door("voyages")


@door.api(
    "POST",
    "/v1/ships/{ship}/voyages",
    body=Cargo,
    query=PageQuery,
    out=Arrived,
    status=201,
    idempotency="required",
    calls_outside=True,
    errors=(SunkError, FogError),
)
async def sail(call: Call[Cargo, PageQuery]) -> Arrived:
    """Load a ship once, and have it arrive."""
    sea = call.service(Sea)
    by = call.require_role("staff")
    await sea.pass_by("nothing")
    sea.resumed.append(None if call.recovery_point is None else call.recovery_point.name)
    if call.recovery_point is None:
        async with call.database.transaction() as tx:
            await note(tx, "loaded")
            await call.reached(tx, "loaded", call.path["ship"])
    await sea.pass_by("loaded")
    if call.recovery_point is None or call.recovery_point.name == "loaded":
        async with call.database.transaction() as tx:
            await note(tx, "sailed")
            await call.reached(tx, "sailed", call.path["ship"])
    await sea.pass_by("sailed")
    return Arrived(
        ship=call.path["ship"],
        goods=call.body.goods,
        limit=call.query.limit,
        by=by.name,
        key=call.header("Idempotency-Key"),
    )


@door.api("POST", "/v1/ports", out=Cargo, idempotency="required", calls_outside=True)
async def build(call: Call[None, None]) -> Cargo:
    """Ask outside, and then do everything in the transaction of the answer."""
    async with call.last_transaction() as tx:
        await note(tx, "built")
    await call.service(Sea).pass_by("built")
    return Cargo(goods="stones")


async def note(tx, what):
    await tx.execute(
        "insert into inbox (consumer, message_key, received_at) values ($1, $2, $3)",
        what,
        tx.mint("evt"),
        tx.now,
    )


@pytest.fixture
def sea():
    return Sea()


@pytest.fixture
def context(database, redis, clock, sea):
    return WebContext(
        database=database,
        redis=redis,
        clock=clock,
        authenticator=Tokens(),
        limiter=RateLimiter(redis),
        cookie=SessionCookie(secure=False),
        allowed_origins=(),
        services={Sea: sea},
    )


@pytest_asyncio.fixture
async def client(context):
    app = Quart("test", static_folder=None)
    install_request_log(app)
    install_problems(app)
    open_doors(app, (door,), context)
    return app.test_client()


@pytest.fixture
def completer(context):
    return Completer((door,), context)


async def ask(client):
    return await client.post(
        "/v1/ships/argo/voyages?limit=7",
        json={"goods": "wool"},
        headers={"authorization": f"Bearer {TOKEN}", "idempotency-key": KEY},
    )


async def break_off(client, sea, clock, *, at):
    """Leave a request hanging at a point until its lease has run out; return it."""
    sea.held = at
    hanging = asyncio.create_task(ask(client))
    await sea.reached.wait()
    clock.advance(seconds=61)
    return hanging


async def noted(database, what):
    async with database.transaction() as tx:
        return await tx.value(int, "select count(*) from inbox where consumer = $1", what)


async def keys(database):
    async with database.transaction() as tx:
        return await tx.value(int, "select count(*) from idempotency_keys")


class TestARequestBrokenOff:
    @pytest.mark.parametrize("point", ["loaded", "sailed"])
    async def test_at_a_recovery_point_is_finished_without_its_client(
        self, client, sea, clock, database, completer, point
    ):
        hanging = await break_off(client, sea, clock, at=point)

        taken = await completer.complete_due()
        replayed = await ask(client)
        sea.gate.set()
        late = await hanging

        assert (taken, sea.resumed) == (1, [None, point])
        assert (replayed.status_code, late.status_code) == (201, 409)
        assert replayed.headers["idempotency-replayed"] == "true"
        assert await replayed.get_json() == {
            "ship": "argo",
            "goods": "wool",
            "limit": 7,
            "by": "Ada",
            "key": KEY,
        }
        assert (await noted(database, "loaded"), await noted(database, "sailed")) == (1, 1)
        assert (await ask(client)).headers["idempotency-replayed"] == "true"

    async def test_before_it_did_anything_frees_its_key(
        self, client, sea, clock, database, completer
    ):
        hanging = await break_off(client, sea, clock, at="nothing")

        taken = await completer.complete_due()
        left = await keys(database)
        sea.gate.set()

        assert (taken, left) == (0, 0)
        assert (await hanging).status_code == 409
        assert await noted(database, "loaded") == 0

    async def test_is_left_alone_while_its_lease_holds(self, client, sea, completer):
        sea.held = "loaded"
        running = asyncio.create_task(ask(client))
        await sea.reached.wait()

        assert await completer.complete_due() == 0
        sea.gate.set()
        assert (await running).status_code == 201

    async def test_keeps_nothing_that_proves_who_asked_nor_the_request_once_it_is_answered(
        self, client, sea, clock, database, completer
    ):
        await break_off(client, sea, clock, at="loaded")
        async with database.transaction() as tx:
            kept = await tx.value(str, "select request::text from idempotency_keys")
        await completer.complete_due()
        async with database.transaction() as tx:
            after = await tx.value(int, "select count(request) from idempotency_keys")
        sea.gate.set()

        assert '"staff"' in kept
        assert TOKEN not in kept
        assert after == 0

    async def test_by_the_stop_of_a_completer_is_gone_on_with_at_once(
        self, client, sea, clock, completer
    ):
        hanging = await break_off(client, sea, clock, at="loaded")
        sea.reached.clear()
        sea.held = "sailed"
        completing = asyncio.create_task(completer.complete_due())
        await sea.reached.wait()
        completing.cancel()
        await asyncio.gather(completing, return_exceptions=True)

        assert (await ask(client)).status_code == 201
        sea.gate.set()
        assert (await hanging).status_code == 409
        assert sea.resumed == [None, "loaded", "sailed"]

    @pytest.mark.parametrize("failure", [ZeroDivisionError("a bug"), FogError("Nobody knows.")])
    async def test_by_what_nobody_could_know_is_gone_on_with(
        self, client, sea, completer, failure, database
    ):
        sea.failure = failure
        refused = await ask(client)
        sea.failure = None

        assert refused.status_code in {500, 503}
        assert await completer.complete_due() == 1
        assert (await ask(client)).status_code == 201
        assert await noted(database, "loaded") == 1

    async def test_by_a_refusal_is_over(self, client, sea, completer, database):
        sea.failure = SunkError("It has sunk.")

        assert (await ask(client)).status_code == 409
        assert (await completer.complete_due(), await keys(database)) == (0, 0)

    async def test_that_fails_again_and_again_is_given_up(
        self, client, sea, completer, database, clock
    ):
        sea.failure = ZeroDivisionError("a bug")
        await ask(client)
        taken = []
        for _ in range(ATTEMPTS_MAX + 1):
            taken.append(await completer.complete_due())
            taken.append(await completer.complete_due())
            clock.advance(hours=3)

        assert taken == [1, 0] * (ATTEMPTS_MAX + 1)
        assert len(sea.resumed) == 1 + ATTEMPTS_MAX
        assert await keys(database) == 0

    async def test_may_be_gone_on_with_by_its_client_between_attempts(self, client, sea, completer):
        sea.failure = ZeroDivisionError("a bug")
        await ask(client)
        await completer.complete_due()
        sea.failure = None

        assert (await ask(client)).status_code == 201
        assert sea.resumed == [None, "sailed", "sailed"]

    async def test_of_a_door_there_is_no_more_is_given_up(
        self, client, sea, clock, context, database
    ):
        await break_off(client, sea, clock, at="loaded")

        assert await Completer((), context).complete_due() == 1
        assert await keys(database) == 0
        sea.gate.set()

    async def test_where_effect_and_answer_are_one_leaves_nothing(self, client, sea, database):
        sea.failure = ZeroDivisionError("a bug")
        headers = {"authorization": f"Bearer {TOKEN}", "idempotency-key": KEY}
        assert (await client.post("/v1/ports", headers=headers)).status_code == 500
        sea.failure = None

        assert (await noted(database, "built"), await keys(database)) == (0, 0)
        assert (await client.post("/v1/ports", headers=headers)).status_code == 200
        assert await noted(database, "built") == 1


class TestARace:
    async def test_of_completers_has_one_winner(self, client, sea, clock, context, database):
        hanging = await break_off(client, sea, clock, at="loaded")

        taken = await asyncio.gather(
            *(Completer((door,), context).complete_due() for _ in range(4))
        )
        sea.gate.set()

        assert sum(taken) == 1
        assert (await hanging).status_code == 409
        assert await noted(database, "sailed") == 1

    async def test_of_the_client_and_the_completer_has_one_winner(
        self, client, sea, clock, completer, database
    ):
        hanging = await break_off(client, sea, clock, at="loaded")

        taken, *answers = await asyncio.gather(
            completer.complete_due(), ask(client), ask(client), ask(client)
        )
        sea.gate.set()

        carried_out = [
            each
            for each in answers
            if each.status_code == 201 and "idempotency-replayed" not in each.headers
        ]
        assert taken + len(carried_out) == 1
        assert {each.status_code for each in answers} <= {201, 409}
        assert (await hanging).status_code == 409
        assert await noted(database, "sailed") == 1
        assert (await ask(client)).headers["idempotency-replayed"] == "true"

    async def test_a_client_who_comes_while_it_is_completed_is_told_to_wait(
        self, client, sea, clock, completer
    ):
        hanging = await break_off(client, sea, clock, at="loaded")
        sea.reached.clear()
        sea.held = "sailed"
        completing = asyncio.create_task(completer.complete_due())
        await sea.reached.wait()

        waiting = await ask(client)
        sea.gate.set()

        assert waiting.status_code == 409
        assert (await waiting.get_json())["code"] == "request_in_flight"
        assert await completing == 1
        assert (await hanging).status_code == 409
        assert (await ask(client)).status_code == 201
