"""Notification tests: two people to tell things to."""

import pytest_asyncio

from commerce.accounts import service as accounts
from commerce.accounts.model import NewUser
from protocol.ids import UserId
from protocol.views import Person


async def add_person(database, name):
    async with database.transaction() as tx:
        person = Person(id=UserId(tx.mint("usr")), name=name)
        new = NewUser(id=person.id, email=f"{name}@example.org", name=name)
        await accounts.import_user(tx, new)
        return person


@pytest_asyncio.fixture
async def ada(database):
    return await add_person(database, "ada")


@pytest_asyncio.fixture
async def ben(database):
    return await add_person(database, "ben")
