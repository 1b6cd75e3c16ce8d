import msgspec
import pytest

from commerce.accounts import service as accounts
from commerce.accounts.adapters.argon2_passwords import Argon2Passwords
from commerce.catalog import service as catalog
from commerce.catalog.settings import CatalogSettings
from commerce.chat import service as chat
from commerce.discounts import service as discounts
from commerce.orders import service as orders
from commerce.orders.model import STATES, TRANSITIONS
from commerce.seed.bench import BenchSize, seed_bench
from commerce.seed.command import fill
from commerce.seed.people import DEMO_PASSWORD
from commerce.settings import CommerceSettings
from commerce.subscriptions import service as subscriptions

TABLES = (
    "categories", "products", "variants", "users", "rooms", "room_members", "messages", "orders",
    "order_lines", "order_events", "outbox", "carts",
)  # fmt: skip


class Fingerprint(msgspec.Struct, frozen=True, kw_only=True):
    rows: int
    content: str | None


@pytest.fixture
def settings(tmp_path):
    return CommerceSettings(catalog=CatalogSettings(files_dir=str(tmp_path / "files")))


async def fingerprints(database):
    """Return what each table holds; the password hash has a salt and is left out."""
    found = {}
    async with database.transaction() as tx:
        for table in TABLES:
            found[table] = await tx.one(
                Fingerprint,
                f"""
                select count(*) as rows,
                       md5(string_agg(t, '|' order by t collate "C")) as content
                  from (select (to_jsonb({table}) - 'password_hash' - 'created_at'
                                - 'body')::text as t from {table}) as told
                """,  # noqa: S608 - names of our own tables
            )
    return found


async def terms_of(database):
    """Return the plans, the discounts, and the currencies that everything is sold in."""
    async with database.transaction() as tx:
        plans = await subscriptions.offered_plans(tx, limit=100)
        codes = await discounts.newest(tx, limit=100)
        counts = await tx.value(
            dict[str, int],
            "select jsonb_object_agg(currency, number) from ("
            "select currency, count(*) as number from prices where active group by currency) found",
        )
    assert len(set(counts.values())) == 1
    return plans, codes, set(counts)


class TestTheSmallShop:
    async def test_is_there_after_one_run_and_the_same_after_two(self, database, settings, clock):
        first = await fill(settings, database)
        before = await fingerprints(database)
        clock.advance(days=3)

        second = await fill(settings, database)

        assert (first.seeded.products, second.seeded.products) == (208, 0)
        assert (second.seeded.messages, second.seeded.orders) == (0, 0)
        assert await fingerprints(database) == before
        assert before["orders"].rows >= 200
        assert before["messages"].rows >= 800

    async def test_sells_on_the_same_terms_after_two_runs(self, database, settings):
        await fill(settings, database)
        first = await terms_of(database)

        await fill(settings, database)

        assert await terms_of(database) == first
        plans, codes, prices = first
        titles = {each.plan.title for each in plans}
        assert titles == {"Course pass", "Course pass for a year", "Studio pass"}
        assert {"WELCOME10", "FIVER", "FIRST100", "AUTUMN"} == {code.code for code in codes}
        assert prices == {"EUR", "USD", "GBP", "JPY", "KWD"}

    async def test_has_pictures_for_everything(self, database, settings):
        shop = await fill(settings, database)

        for product in shop.products:
            picture = await catalog.read_file(settings.catalog.files_path, product.cover)
            assert picture.startswith(b"<svg")

    async def test_lets_its_people_sign_in(self, database, settings):
        await fill(settings, database)
        passwords = Argon2Passwords(memory_kib=19_456, rounds=2)
        try:
            user = await accounts.check_password(
                database, passwords, email="demo07@rialto.example", password=DEMO_PASSWORD
            )
        finally:
            passwords.close()

        assert user.name == "Greta Halloran"

    async def test_has_one_of_them_work_here(self, database, settings):
        await fill(settings, database)

        async with database.transaction() as tx:
            staff = await accounts.staff(tx, people_max=10)

        assert [person.name for person in staff] == ["Jonas Vestergaard"]

    async def test_keeps_passwords_to_the_dev_profile(self, database, settings):
        await fill(msgspec.structs.replace(settings, profile="staging"), database)
        async with database.transaction() as tx:
            known = await tx.value(int, "select count(password_hash) from users")

        assert known == 0

    async def test_tells_rights_but_no_history(self, database, settings):
        await fill(settings, database)
        async with database.transaction() as tx:
            kinds = await tx.value(list, "select array_agg(distinct kind) from outbox")
            told = await tx.value(int, "select count(*) from outbox")
            rights = [right async for right in chat.access(tx)]
            rights += [right async for right in orders.access(tx)]

        assert kinds == ["grant"]
        assert told == len(rights)

    async def test_has_orders_that_only_went_ways_there_are(self, database, settings):
        await fill(settings, database)
        async with database.transaction() as tx:
            edges = await tx.value(
                list,
                "select array_agg(distinct from_state || '>' || to_state) from order_events",
            )
            ends = await tx.value(list, "select array_agg(distinct state) from orders")

        legal = {f"{state}>{to}" for state in STATES for to in TRANSITIONS[state]}
        assert set(edges) <= legal
        assert set(ends) == {"paid", "fulfilled", "canceled", "expired"}

    async def test_leaves_users_who_came_before_with_their_own_names(self, database, settings):
        async with database.transaction() as tx:
            early = await accounts.demo_user(tx, 1)

        shop = await fill(settings, database)

        assert shop.people[0] == early
        assert shop.seeded.orders > 0


class TestTheLargeShop:
    async def test_goes_on_where_it_was_broken_off_and_ends_the_same(self, database, settings):
        shop = await fill(settings, database)
        covers = [product.cover for product in shop.products]
        seen = []

        async def seed(size):
            await seed_bench(
                database, size, covers=covers, progress=lambda *told: seen.append(told)
            )
            return await fingerprints(database)

        await seed(BenchSize(products=2_500, users=20, orders=5_000))
        whole = await seed(BenchSize(products=2_500, users=20, orders=6_000))
        again = await seed(BenchSize(products=2_500, users=20, orders=6_000))

        assert again == whole
        assert whole["products"].rows == 2_708
        assert whole["orders"].rows == 6_000 + shop.seeded.orders
        assert ("products", 2_000, 2_500) in seen
        assert seen[-1] == ("orders", 6_000, 6_000)
