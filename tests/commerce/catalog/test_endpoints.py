import pytest
import pytest_asyncio

from commerce.app import create_app
from commerce.catalog import service as catalog
from commerce.catalog.settings import CatalogSettings
from commerce.settings import CommerceSettings
from protocol.views import Person
from tests.commerce.caller import Caller, sign_in

ADA = Person(id="usr_01JD00000000000000000000A1", name="Ada")
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"/>'


@pytest.fixture
def files(tmp_path):
    return tmp_path / "files"


@pytest.fixture
def app(database, redis, clock, files):
    settings = CommerceSettings(catalog=CatalogSettings(files_dir=str(files)))
    return create_app(settings, database=database, redis=redis, clock=clock)


@pytest_asyncio.fixture
async def visitor(app):
    return Caller(app)


class TestTheCatalogue:
    async def test_lists_its_categories_in_the_order_of_the_shop(self, visitor, shop):
        answer = await visitor.get("/v1/categories")

        assert [each["slug"] for each in answer.body["items"]] == ["fonts", "sounds"]

    async def test_is_read_page_by_page(self, visitor, shop, clock):
        for number in range(5):
            clock.advance(seconds=1)
            await shop.add(f"Loop {number}", category="sounds")

        for asked in ({}, {"q": "loop"}, {"q": "loop", "category": "sounds"}):
            titles, after = [], {}
            while True:
                page = (await visitor.get("/v1/products", limit=2, **asked, **after)).body
                titles += [card["title"] for card in page["items"]]
                if page["next"] is None:
                    break
                after = {"after": page["next"]}
            assert sorted(titles) == [f"Loop {number}" for number in range(5)]

    @pytest.mark.parametrize(
        ("asked", "status", "code"),
        [
            ({"category": "cheese"}, 404, "category_not_found"),
            ({"limit": 0}, 422, "invalid"),
            ({"limit": 101}, 422, "invalid"),
            ({"after": "nonsense"}, 422, "invalid"),
            ({"colour": "red"}, 422, "invalid"),
            ({"q": "x" * 201}, 422, "invalid"),
        ],
    )
    async def test_refuses_what_cannot_be_asked(self, visitor, shop, asked, status, code):
        answer = await visitor.get("/v1/products", **asked)

        assert (answer.status, answer.code) == (status, code)

    async def test_shows_a_product_with_its_room_and_its_picture(self, visitor, shop):
        await shop.add("Halden", price=1900, stock=4, variants=("One", "Two"))

        shown = (await visitor.get("/v1/products/halden")).body

        assert shown["room"] == "rom_" + shown["id"][4:]
        assert shown["cover_url"].startswith("/media/covers/")
        assert shown["price"] == {"amount_minor": 1900, "currency": "EUR"}
        assert shown["stock"] == 8
        assert [variant["title"] for variant in shown["variants"]] == ["One", "Two"]

    async def test_has_no_page_for_what_is_not_there(self, visitor, shop):
        assert (await visitor.get("/v1/products/nothing")).code == "product_not_found"


class TestAFile:
    @pytest.fixture
    def path(self, files):
        return catalog.store_cover(files, SVG)

    async def test_may_be_kept_for_ever_and_runs_nothing(self, app, path):
        answer = await app.test_client().get(f"/media/{path}")

        assert answer.status_code == 200
        assert await answer.get_data() == SVG
        assert answer.headers["content-type"] == "image/svg+xml"
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"] == (
            "default-src 'none'; style-src 'unsafe-inline'; sandbox"
        )

    async def test_is_not_sent_again_to_who_has_it(self, app, path):
        client = app.test_client()
        tag = (await client.get(f"/media/{path}")).headers["etag"]

        answer = await client.get(f"/media/{path}", headers={"if-none-match": tag})

        assert (answer.status_code, await answer.get_data()) == (304, b"")

    def test_is_stored_once_however_often_it_is_kept(self, files, path):
        assert catalog.store_cover(files, SVG) == path
        assert [each.name for each in (files / "covers").iterdir()] == [path.partition("/")[2]]

    @pytest.mark.parametrize(
        "path",
        [
            "../secret.txt",
            "covers/../../secret.txt",
            "%2e%2e/secret.txt",
            "covers/%2e%2e%2f%2e%2e%2fsecret.txt",
            "/etc/passwd",
            "covers",
            "covers/" + "0" * 32 + ".svg",
            "covers/link" + "0" * 28 + ".svg",
        ],
    )
    async def test_outside_the_folder_is_never_served(self, app, files, path):
        files.mkdir(exist_ok=True)
        (files.parent / "secret.txt").write_text("secret")

        answer = await app.test_client().get(f"/media/{path}")

        assert answer.status_code in {404, 308}
        assert b"secret" not in await answer.get_data()

    async def test_that_is_a_link_to_the_outside_is_never_served(self, app, files):
        secret = files.parent / "secret.svg"
        secret.write_text("secret")
        (files / "covers").mkdir(parents=True)
        (files / "covers" / f"{'a' * 32}.svg").symlink_to(secret)

        answer = await app.test_client().get(f"/media/covers/{'a' * 32}.svg")

        assert answer.status_code == 404


class TestChangingAProduct:
    @pytest_asyncio.fixture
    async def staff(self, app, redis, clock):
        return await sign_in(app, redis, clock, ADA, roles=("staff",))

    async def test_by_staff_changes_it_for_everyone(self, staff, visitor, shop):
        variant = await shop.add("Halden", stock=3)
        product = (await shop.offer(variant)).product

        answer = await staff.patch(
            f"/v1/admin/products/{product}",
            {
                "version": 1,
                "title": "Halden Two",
                "variants": [
                    {
                        "id": variant,
                        "price": {"amount_minor": 700, "currency": "EUR"},
                        "stock": None,
                    }
                ],
            },
        )

        assert answer.status == 200
        assert answer.body["version"] == 2
        shown = (await visitor.get("/v1/products/halden")).body
        assert (shown["title"], shown["price"]["amount_minor"], shown["stock"]) == (
            "Halden Two",
            700,
            None,
        )

    async def test_leaves_what_is_not_named_as_it_is(self, staff, shop):
        variant = await shop.add("Halden", stock=3, price=1900)
        product = (await shop.offer(variant)).product

        answer = await staff.patch(
            f"/v1/admin/products/{product}", {"variants": [{"id": variant, "stock": 2}]}
        )

        assert (answer.body["price"]["amount_minor"], answer.body["stock"]) == (1900, 2)

    @pytest.mark.parametrize(
        ("change", "status", "code"),
        [
            ({"version": 7}, 409, "product_changed"),
            ({"variants": [{"id": "var_01JD0000000000000000000000"}]}, 404, "variant_not_found"),
            ({"title": ""}, 422, "invalid"),
            ({"variants": [{"id": "var_01JD0000000000000000000000", "stock": -1}]}, 422, "invalid"),
            ({"colour": "red"}, 422, "invalid"),
        ],
    )
    async def test_that_cannot_be_is_refused_and_changes_nothing(
        self, staff, visitor, shop, change, status, code
    ):
        product = (await shop.offer(await shop.add("Halden"))).product

        answer = await staff.patch(f"/v1/admin/products/{product}", change)

        assert (answer.status, answer.code) == (status, code)
        assert (await visitor.get("/v1/products/halden")).body["version"] == 1

    async def test_that_is_not_there_is_refused(self, staff, shop):
        answer = await staff.patch("/v1/admin/products/prd_01JD0000000000000000000000", {})

        assert (answer.status, answer.code) == (404, "product_not_found")

    async def test_is_for_staff_only(self, app, redis, clock, visitor, shop):
        product = (await shop.offer(await shop.add("Halden"))).product
        customer = await sign_in(app, redis, clock, ADA)

        path = f"/v1/admin/products/{product}"
        assert (await customer.patch(path, {"title": "Mine"})).status == 403
        assert (await visitor.patch(path, {"title": "Mine"})).status == 401


class TestTheStatesOfProducts:
    async def test_are_told_of_those_that_are_published(self, visitor, shop):
        seen = (await shop.offer(await shop.add("Halden", variants=("One", "Two")))).product
        hidden = (await shop.offer(await shop.add("Secret", published=False))).product

        answer = await visitor.get("/v1/product-states", ids=f"{seen},{hidden}")

        (state,) = answer.body["items"]
        assert (state["id"], state["version"], len(state["variants"])) == (seen, 1, 2)

    @pytest.mark.parametrize("ids", ["", "prd_1", "usr_01JD0000000000000000000000"])
    async def test_are_refused_for_what_is_no_product(self, visitor, shop, ids):
        assert (await visitor.get("/v1/product-states", ids=ids)).status == 422
