import msgspec
import pytest
import pytest_asyncio

from commerce.accounts.adapters.redis_sessions import RedisSessions
from commerce.accounts.model import User
from commerce.app import create_app
from commerce.licenses.adapters.derived_keys import DerivedKeys
from commerce.licenses.settings import LicenseSettings
from commerce.settings import CommerceSettings
from protocol.license_file.verify_license import (
    ANSWER_DOMAIN,
    FILE_DOMAIN,
    machine_id,
    open_signed,
    verify,
)
from protocol.views import Person
from tests.commerce.caller import Caller, sign_in
from tests.commerce.licenses.conftest import SECRET
from tests.commerce.shop import ADA, BEN

LAPTOP = "laptop-0001"


@pytest.fixture
def app(database, redis, clock):
    settings = CommerceSettings(licenses=LicenseSettings(secret=SECRET))
    return create_app(settings, database=database, redis=redis, clock=clock)


@pytest.fixture
def product(app):
    """A program that was bought, and asks with its key alone."""
    return Caller(app)


@pytest_asyncio.fixture
async def ada(app, redis, clock):
    return await sign_in(app, redis, clock, Person(id=ADA, name="Ada"))


@pytest_asyncio.fixture
async def ben(app, redis, clock):
    return await sign_in(app, redis, clock, Person(id=BEN, name="Ben"))


@pytest_asyncio.fixture
async def staff(app, redis, clock):
    user = User(id=BEN, email="staff@example.org", name="Ben", roles=("staff",))
    token, _ = await RedisSessions(redis, clock).begin(user)
    return Caller(app, token)


async def published(caller):
    answer = await caller.get("/v1/licenses/keys")
    return {key["kid"]: key["key"] for key in answer.body["keys"]}


class TestAProgram:
    async def test_activates_validates_and_deactivates_with_its_key(self, shop, product):
        (held,) = await shop.sell(machines_max=1, entitlements=("pro",))
        asked = {"key": shop.key(held), "fingerprint": LAPTOP}

        activated = await product.post("/v1/licenses/activate", asked)
        full = await product.post("/v1/licenses/activate", asked | {"fingerprint": "desk-0001"})
        good = await product.post("/v1/licenses/validate", asked)
        gone = await product.post("/v1/licenses/deactivate", asked)
        after = await product.post("/v1/licenses/validate", asked)

        assert activated.status == 200
        assert (full.status, full.code) == (409, "too_many_machines")
        assert good.body["verdict"]["code"] == "valid"
        assert good.body["verdict"]["entitlements"] == ["pro"]
        assert gone.status == 200
        assert after.body["verdict"]["code"] == "not_activated"

    async def test_can_check_that_the_answer_is_ours_and_new(self, shop, product):
        (held,) = await shop.sell()
        asked = {"key": shop.key(held), "fingerprint": LAPTOP, "nonce": "once-only"}
        await product.post("/v1/licenses/activate", asked)

        answer = await product.post("/v1/licenses/validate", asked)

        keys = await published(product)
        signed = answer.body["signed"]
        assert open_signed(signed, ANSWER_DOMAIN, keys=keys) == answer.body["verdict"]
        assert answer.body["verdict"]["nonce"] == "once-only"
        assert open_signed(signed, FILE_DOMAIN, keys=keys) == "malformed"

    async def test_is_told_the_same_of_every_key_that_is_not_known(self, shop, product):
        (held,) = await shop.sell()
        key = shop.key(held)
        typo = key[:-1] + ("A" if key[-1] != "A" else "B")
        unknown = DerivedKeys(SECRET[::-1]).make(held.id, generation=1, prefix="1NK")

        told = [
            (await product.post("/v1/licenses/validate", {"key": each})).body["verdict"]
            for each in ("nonsense", typo, unknown)
        ]

        assert [verdict["code"] for verdict in told] == ["unknown_key"] * 3
        assert told[0].keys() == told[1].keys() == told[2].keys()

    @pytest.mark.parametrize(
        "wrong",
        [
            {},
            {"key": ""},
            {"key": "x" * 65},
            {"key": "K", "fingerprint": "short"},
            {"key": "K", "fingerprint": "f" * 257},
            {"key": "K", "other": 1},
        ],
    )
    async def test_that_asks_nonsense_is_told_what_would_be_right(self, product, wrong):
        answer = await product.post("/v1/licenses/validate", wrong)

        assert (answer.status, answer.code) == (422, "invalid")

    async def test_that_tries_one_key_too_often_is_told_to_wait(self, shop, product):
        (held,) = await shop.sell()

        answers = [
            await product.post("/v1/licenses/validate", {"key": shop.key(held)}) for _ in range(62)
        ]

        assert {answer.status for answer in answers} == {200, 429}
        assert answers[-1].code == "rate_limited"


class TestAHolder:
    async def test_sees_keys_and_machines_of_their_own_licences_only(self, shop, ada, ben, product):
        (held,) = await shop.sell()
        await product.post(
            "/v1/licenses/activate",
            {"key": shop.key(held), "fingerprint": LAPTOP, "name": "Laptop"},
        )

        seen = await ada.get(f"/v1/licenses/{held.id}")
        listed = await ada.get("/v1/licenses")
        of_order = await ada.get(f"/v1/orders/{held.order_id}/licenses")

        assert seen.body["key"] == shop.key(held)
        assert seen.body["machines"][0]["name"] == "Laptop"
        assert [each["id"] for each in listed.body["items"]] == [held.id]
        assert of_order.body["items"][0]["key"] == shop.key(held)
        assert (await ben.get(f"/v1/licenses/{held.id}")).code == "license_not_found"
        assert (await ben.get(f"/v1/orders/{held.order_id}/licenses")).body["items"] == []

    async def test_gets_a_file_that_proves_the_licence_without_us(self, shop, ada, clock):
        (held,) = await shop.sell()

        made = await ada.post(f"/v1/licenses/{held.id}/files", {"fingerprint": LAPTOP})

        answer = verify(
            made.body["file"],
            keys=await published(ada),
            machine=machine_id(LAPTOP),
            now=clock.now().timestamp(),
        )
        assert (made.status, answer.status) == (201, "valid")
        assert answer.claims["license"] == held.id

    async def test_rotates_resets_and_removes_machines(self, shop, ada, product):
        (held,) = await shop.sell()
        await product.post("/v1/licenses/activate", {"key": shop.key(held), "fingerprint": LAPTOP})
        machine = machine_id(LAPTOP)

        rotated = await ada.post(f"/v1/licenses/{held.id}/rotate", {})
        removed = await ada.delete(f"/v1/licenses/{held.id}/machines/{machine}")
        again = await ada.delete(f"/v1/licenses/{held.id}/machines/{machine}")
        nonsense = await ada.delete(f"/v1/licenses/{held.id}/machines/zz")
        reset = await ada.post(f"/v1/licenses/{held.id}/reset", {})
        too_soon = await ada.post(f"/v1/licenses/{held.id}/reset", {})

        assert rotated.body["key"] != shop.key(held)
        assert removed.body["machines_active"] == 0
        assert (again.code, nonsense.status) == ("machine_not_found", 422)
        assert (reset.status, too_soon.code) == (200, "reset_too_soon")


class TestTheStaff:
    async def test_suspends_and_restores_and_nobody_else_may(self, shop, staff, ada):
        (held,) = await shop.sell()
        path = f"/v1/admin/licenses/{held.id}/state"

        refused = await ada.put(path, {"state": "suspended", "reason": "no"})
        suspended = await staff.put(path, {"state": "suspended", "reason": "A dispute."})
        twice = await staff.put(path, {"state": "suspended", "reason": "A dispute."})
        restored = await staff.put(path, {"state": "granted", "reason": "It was won."})

        assert refused.status == 403
        assert suspended.body["state"] == "suspended"
        assert twice.code == "illegal_license_step"
        assert restored.body["state"] == "granted"


class TestRotatingTheFileKeys:
    async def test_keeps_files_good_while_both_are_published(
        self, database, redis, clock, shop, ada
    ):
        (held,) = await shop.sell()
        old = (await ada.post(f"/v1/licenses/{held.id}/files", {"fingerprint": LAPTOP})).body
        newer = LicenseSettings(
            secret=SECRET,
            file_keys=("2027:" + "A" * 43 + "=", *LicenseSettings().file_keys),
        )
        settings = msgspec.structs.replace(CommerceSettings(), licenses=newer)
        rotated = create_app(settings, database=database, redis=redis, clock=clock)
        caller = await sign_in(rotated, redis, clock, Person(id=ADA, name="Ada"))

        new = (await caller.post(f"/v1/licenses/{held.id}/files", {"fingerprint": LAPTOP})).body

        keys = await published(caller)
        now = clock.now().timestamp()
        for each in (old, new):
            answer = verify(each["file"], keys=keys, machine=machine_id(LAPTOP), now=now)
            assert answer.status == "valid"
        assert list(keys) == ["2027", "dev"]
