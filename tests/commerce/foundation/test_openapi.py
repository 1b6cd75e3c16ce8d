"""The OpenAPI document and the page that shows it."""

import pytest
import pytest_asyncio
from openapi_spec_validator import OpenAPIV31SpecValidator

from commerce.app import create_app
from commerce.settings import CommerceSettings


@pytest_asyncio.fixture
async def client(database, redis, clock):
    return create_app(CommerceSettings(), database=database, redis=redis, clock=clock).test_client()


@pytest_asyncio.fixture
async def document(client):
    return await (await client.get("/openapi.json")).get_json()


class TestTheDocument:
    async def test_is_valid(self, document):
        OpenAPIV31SpecValidator(document).validate()

    async def test_describes_every_feature(self, document):
        assert {tag["name"] for tag in document["tags"]} == {
            "accounts",
            "admin",
            "cart",
            "catalog",
            "chat",
            "delivery",
            "discounts",
            "exports",
            "invoices",
            "ledger",
            "licenses",
            "notifications",
            "orders",
            "refunds",
            "payments",
            "settlement",
            "storefront",
            "subscriptions",
            "taxes",
        }

    async def test_says_of_each_operation_what_may_be_refused(self, document):
        sign_in = document["paths"]["/v1/sessions"]["post"]

        assert {"201", "400", "401", "403", "415", "422", "429", "default"} <= set(
            sign_in["responses"]
        )
        assert list(sign_in["responses"]["401"]["content"]) == ["application/problem+json"]

    async def test_names_every_operation_once(self, document):
        names = [
            operation["operationId"]
            for methods in document["paths"].values()
            for operation in methods.values()
        ]

        assert len(names) == len(set(names))


class TestTheDocsPage:
    @pytest.mark.parametrize(
        ("path", "kind"),
        [
            ("/docs", "text/html"),
            ("/docs/swagger-ui.css", "text/css"),
            ("/docs/swagger-ui-bundle.js", "text/javascript"),
            ("/docs/api_docs.js", "text/javascript"),
        ],
    )
    async def test_comes_from_ourselves(self, client, path, kind):
        response = await client.get(path)

        assert response.status_code == 200
        assert response.mimetype == kind

    async def test_has_nothing_inline(self, client):
        page = await (await client.get("/docs")).get_data(as_text=True)

        assert "<style" not in page
        assert "<script>" not in page
        assert "http" not in page.replace("HTTP", "")


class TestEveryAnswer:
    async def test_carries_the_security_headers(self, client):
        response = await client.get("/v1/me")

        policy = response.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert "connect-src 'self' ws://localhost:8301/ws" in policy
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["x-frame-options"] == "DENY"
