import asyncpg
import pytest

from commerce.admin.endpoints import door
from commerce.delivery import service as delivery
from commerce.licenses import service as licenses
from commerce.licenses.adapters.derived_keys import DerivedKeys
from commerce.licenses.model import Policy
from tests.commerce.caller import Caller
from tests.commerce.refunds.conftest import dispute_of
from tests.commerce.shop import ADA, BEN

KEYS = DerivedKeys("a secret that only these tests know, and nobody else")
BECAUSE = {"reason": "the address is odd"}


def key(text):
    return {"Idempotency-Key": text}


async def audited(staff, **query):
    return (await staff.get("/v1/admin/audit", **query)).body["items"]


class TestEveryDoor:
    @pytest.mark.parametrize("route", door.routes, ids=lambda route: route.name)
    async def test_is_closed_to_buyers_and_to_nobody(self, app, ada, route):
        path = route.path
        for name in route.path_parameters:
            path = path.replace(f"{{{name}}}", "ord_00000000000000000000000000")
        body = {
            "reason": "because",
            "answer": "because",
            "state": "revoked",
        }
        wanted = {} if route.body is None else _only(body, route.body)

        async def ask(caller):
            if route.method == "GET":
                return await caller.get(path)
            act = caller.post if route.method == "POST" else caller.put
            return await act(path, wanted, **key("one"))

        assert (await ask(ada)).status == 403
        assert (await ask(Caller(app))).status in {400, 401}


def _only(body, kind):
    return {name: value for name, value in body.items() if name in kind.__struct_fields__}


class TestOrders:
    async def test_are_found_by_what_is_known_of_them(self, shop, staff):
        paid = await shop.paid(1000)
        late = await shop.paid(700, user=BEN, late=True)

        async def found(**query):
            answer = await staff.get("/v1/admin/orders", **query)
            return {each["id"] for each in answer.body["items"]}

        assert await found() == {paid.id, late.id}
        assert await found(state="paid_late") == {late.id}
        assert await found(buyer=ADA) == {paid.id}
        assert await found(number=paid.number) == {paid.id}
        assert await found(held="true") == set()

    async def test_come_page_by_page(self, shop, staff):
        for price in (100, 200, 300):
            await shop.paid(price)

        first = await staff.get("/v1/admin/orders", limit=2)
        rest = await staff.get("/v1/admin/orders", limit=2, after=first.body["next"])

        assert [len(page.body["items"]) for page in (first, rest)] == [2, 1]

    async def test_are_held_and_released_and_that_is_written_down(self, shop, staff):
        order = await shop.paid(1000)
        path = f"/v1/admin/orders/{order.id}"

        held = await staff.post(f"{path}/hold", BECAUSE)
        released = await staff.post(f"{path}/release", {"reason": "it is fine"})

        assert (held.body["held"], released.body.get("held", False)) == (True, False)
        entries = await audited(staff, subject=order.id)
        assert {each["action"] for each in entries} == {"order.hold", "order.release"}
        (entry,) = [each for each in entries if each["action"] == "order.hold"]
        assert (entry["actor"], entry["reason"]) == (BEN, BECAUSE["reason"])
        assert "held" not in entry["before"]
        assert entry["after"]["held"]

    async def test_that_are_not_paid_are_given_up(self, shop, staff):
        variant = await shop.add(price=500)
        order = await shop.buy(variant)

        canceled = await staff.post(f"/v1/admin/orders/{order.id}/cancel", BECAUSE)
        again = await staff.post(f"/v1/admin/orders/{order.id}/cancel", BECAUSE)

        assert (canceled.body["state"], again.code) == ("canceled", "illegal_transition")
        assert len(await audited(staff, subject=order.id)) == 1

    async def test_that_are_paid_cannot_be_given_up(self, shop, staff):
        order = await shop.paid(1000)

        refused = await staff.post(f"/v1/admin/orders/{order.id}/cancel", BECAUSE)

        assert refused.code == "illegal_transition"
        assert await audited(staff, subject=order.id) == []

    async def test_show_all_there_is_about_them(self, shop, staff):
        order = await shop.paid(1000)
        async with shop.database.transaction() as tx:
            await delivery.follow(tx, order.id)
        await shop.refunded(order, 300)
        await shop.ask(order, 100)

        file = (await staff.get(f"/v1/admin/orders/{order.id}")).body

        assert file["order"]["refunded"]["amount_minor"] == 300
        assert [each["state"] for each in file["grants"]] == ["granted"]
        assert [each["state"] for each in file["requests"]] == ["asked"]
        assert [each["refund"]["state"] for each in file["refunds"]] == ["succeeded"]
        assert (await staff.get("/v1/admin/orders/ord_none")).code == "order_not_found"


class TestRefunds:
    async def test_are_given_once_under_one_key(self, shop, staff):
        order = await shop.paid(1000)
        path = f"/v1/admin/orders/{order.id}/refunds"
        wanted = {"amount_minor": 400, "reason": "sorry"}

        first = await staff.post(path, wanted, **key("one"))
        again = await staff.post(path, wanted, **key("one"))

        assert (first.status, again.body) == (201, first.body)
        assert (await staff.post(path, wanted)).status == 400
        assert first.body["refund"]["state"] == "reserved"
        assert first.body["actor"] == BEN
        assert len((await staff.get("/v1/admin/refunds", state="reserved")).body["items"]) == 1

    async def test_that_buyers_ask_for_are_approved_or_denied(self, shop, staff):
        first, second = await shop.paid(1000), await shop.paid(500)
        yes, no = await shop.ask(first), await shop.ask(second)
        path = "/v1/admin/refund-requests"

        approved = await staff.post(f"{path}/{yes.request.id}/approve", {}, **key("yes"))
        denied = await staff.post(f"{path}/{no.request.id}/deny", {"answer": "it works"})

        assert approved.body["refund"]["amount"]["amount_minor"] == 1000
        assert (denied.body["state"], denied.body["decided_by"]) == ("denied", BEN)
        assert (await staff.get(path, state="asked")).body["items"] == []
        actions = {each["action"] for each in await audited(staff)}
        assert actions == {"refund.approve", "refund.deny"}

    async def test_that_do_not_fit_leave_no_trace(self, shop, staff):
        order = await shop.paid(1000)
        wanted = {"amount_minor": 1001, "reason": "sorry"}

        refused = await staff.post(f"/v1/admin/orders/{order.id}/refunds", wanted, **key("one"))

        assert refused.code == "refund_too_large"
        assert await audited(staff) == []


class TestDisputes:
    async def test_are_listed_with_what_speaks_for_the_shop(self, shop, staff):
        order = await shop.paid(1000)
        dispute = await shop.hear_of_dispute(dispute_of(order, "needs_response"))

        listed = await staff.get("/v1/admin/disputes", only_open="true")
        evidence = await staff.get(f"/v1/admin/disputes/{dispute.id}/evidence")

        assert [each["id"] for each in listed.body["items"]] == [dispute.id]
        assert evidence.body["file"]["order"]["id"] == order.id
        assert (await staff.get("/v1/admin/disputes/dsp_x/evidence")).code == "dispute_not_found"


class TestALicence:
    async def test_is_revoked_with_a_reason(self, shop, staff):
        variant = await shop.add("Inkwell", price=0)
        product = (await shop.offer(variant)).product
        async with shop.database.transaction() as tx:
            await licenses.set_policies(tx, [Policy(product_id=product, prefix="1NK")])
        order = await shop.buy(variant)
        async with shop.database.transaction() as tx:
            grants = await delivery.follow(tx, order.id)
            issued = [await licenses.follow(tx, grant.id, keys=KEYS) for grant in grants]
        (held,) = [each for some in issued for each in some]

        path = f"/v1/admin/licenses/{held.id}/state"
        revoked = await staff.put(path, {"state": "revoked", "reason": "shared on a forum"})

        assert revoked.body["state"] == "revoked"
        (entry,) = await audited(staff, subject=held.id)
        assert (entry["before"]["state"], entry["after"]["state"]) == ("granted", "revoked")


class TestTheAudit:
    async def test_is_of_one_thing_or_one_person_if_so_asked(self, shop, staff):
        order = await shop.paid(1000)
        await staff.post(f"/v1/admin/orders/{order.id}/hold", BECAUSE)

        assert len(await audited(staff, actor=BEN)) == 1
        assert await audited(staff, actor=ADA) == []
        assert await audited(staff, subject="ord_x") == []

    async def test_cannot_be_changed(self, shop, staff):
        order = await shop.paid(1000)
        await staff.post(f"/v1/admin/orders/{order.id}/hold", BECAUSE)

        for statement in ("update audit_entries set reason = ''", "delete from audit_entries"):
            with pytest.raises(asyncpg.RaiseError):
                async with shop.database.transaction() as tx:
                    await tx.execute(statement)

    async def test_has_what_is_changed_of_products_and_discounts(self, shop, staff):
        variant = await shop.add("Inkwell", price=900)
        product = (await shop.offer(variant)).product
        version = (await staff.get("/v1/product-states", ids=product)).body["items"][0]["version"]

        changed = await staff.patch(
            f"/v1/admin/products/{product}", {"version": version, "title": "Inkwell 2"}
        )

        assert changed.status == 200, changed.body
        (entry,) = await audited(staff, subject=product)
        assert entry["before"][0]["title"] == "Inkwell"
        assert entry["after"]["title"] == "Inkwell 2"
