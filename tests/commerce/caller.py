"""Somebody who talks to the shop over HTTP."""

import msgspec

from commerce.accounts.adapters.redis_sessions import RedisSessions
from commerce.accounts.model import User


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came back."""

    status: int
    body: object

    @property
    def code(self):
        return self.body["code"]


class Fetched(msgspec.Struct, frozen=True, kw_only=True):
    """A file that came back, or a part of it."""

    path: str
    status: int
    headers: dict[str, str]
    body: bytes


class Caller:
    """A client of the shop, signed in or not."""

    def __init__(self, app, token=None):
        self._client = app.test_client()
        self._headers = {} if token is None else {"authorization": f"Bearer {token}"}

    async def get(self, path, **query):
        return await self._ask("GET", path, query_string=query)

    async def post(self, path, body, **headers):
        return await self._ask("POST", path, json=body, headers=headers)

    async def put(self, path, body, **headers):
        return await self._ask("PUT", path, json=body, headers=headers)

    async def patch(self, path, body):
        return await self._ask("PATCH", path, json=body)

    async def delete(self, path, **headers):
        return await self._ask("DELETE", path, headers=headers)

    async def fetch(self, path, **headers):
        response = await self._client.get(path, headers=self._headers | headers)
        return Fetched(
            path=path,
            status=response.status_code,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=await response.get_data(),
        )

    async def _ask(self, method, path, *, headers=None, **given):
        response = await self._client.open(
            path, method=method, headers=self._headers | (headers or {}), **given
        )
        raw = await response.get_data()
        return Answer(status=response.status_code, body=msgspec.json.decode(raw) if raw else None)


async def sign_in(app, redis, clock, person, *, roles=()):
    """Return a caller who is signed in as `person`."""
    user = User(id=person.id, email="somebody@example.org", name=person.name, roles=roles)
    token, _ = await RedisSessions(redis, clock).begin(user)
    return Caller(app, token)
