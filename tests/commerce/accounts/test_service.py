"""What the rest of commerce may ask of accounts."""

import asyncio

import pytest

from commerce.accounts import service
from commerce.accounts.adapters import argon2_passwords
from commerce.accounts.adapters.argon2_passwords import Argon2Passwords
from commerce.accounts.adapters.redis_sessions import RedisSessions
from commerce.accounts.errors import PasswordsBusyError
from commerce.accounts.model import NewUser, User
from commerce.foundation.errors import UnauthenticatedError
from protocol.events import SessionRevoked
from protocol.topics import user_topic
from protocol.views import Person
from tests.builders import a_user_id
from tests.commerce.outbox import events_told


def a_new_user(**changed):
    user_id = a_user_id()
    given = {"id": user_id, "email": f"{user_id.lower()}@example.org", "name": "Ada"}
    return NewUser(**(given | changed))


@pytest.fixture
def passwords():
    hasher = Argon2Passwords(memory_kib=8, rounds=1)
    yield hasher
    hasher.close()


class TestImportingAUser:
    async def test_a_second_time_changes_nothing(self, tx):
        new = a_new_user()

        assert await service.import_user(tx, new)
        assert not await service.import_user(tx, new)

        assert (await service.get(tx, new.id)).name == "Ada"

    async def test_may_make_staff(self, tx):
        staff, customer = a_new_user(roles=("staff",)), a_new_user()
        await service.import_user(tx, staff)
        await service.import_user(tx, customer)

        assert await service.is_staff(tx, staff.id)
        assert not await service.is_staff(tx, customer.id)

    async def test_may_make_a_demo_user(self, tx):
        demo = a_new_user(demo_number=3)
        await service.import_user(tx, demo)

        assert (await service.demo_user(tx, 3)).id == demo.id


class TestPeople:
    async def test_are_those_who_exist(self, tx):
        ada = a_new_user()
        await service.import_user(tx, ada)

        assert await service.people(tx, [ada.id, a_user_id()]) == [Person(id=ada.id, name="Ada")]


class TestAnAccountThatIsGone:
    async def test_is_as_good_as_nobody(self, tx):
        with pytest.raises(UnauthenticatedError):
            await service.get(tx, a_user_id())


class TestSigningOutEverywhere:
    async def test_ends_every_session_and_its_sockets(self, database, redis, clock):
        sessions = RedisSessions(redis, clock)
        user = User(id=a_user_id(), email="a@b.co", name="Ada")
        tokens = [(await sessions.begin(user))[0] for _ in range(3)]

        await service.sign_out_everywhere(database, sessions, user.id)

        assert [await sessions.authenticate(token) for token in tokens] == [None] * 3
        assert await events_told(database, user_topic(user.id)) == [SessionRevoked()]


class TestPasswords:
    async def test_match_only_themselves(self, passwords):
        kept = await passwords.hash("analytical")

        assert await passwords.matches("analytical", kept)
        assert not await passwords.matches("difference", kept)
        assert not await passwords.matches("analytical", None)
        assert not await passwords.matches("analytical", "not a hash")

    async def test_are_not_hashed_for_an_endless_queue(self, passwords, monkeypatch):
        monkeypatch.setattr(argon2_passwords, "WAITING_MAX", 2)

        answers = await asyncio.gather(
            *(passwords.hash("analytical") for _ in range(5)), return_exceptions=True
        )

        assert sum(isinstance(each, PasswordsBusyError) for each in answers) == 3
