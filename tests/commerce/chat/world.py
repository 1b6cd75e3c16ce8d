"""People, and short ways to have them do things in rooms."""

from contextlib import asynccontextmanager
from datetime import timedelta

from commerce.accounts import service as accounts
from commerce.accounts.model import NewUser
from commerce.chat import service as chat
from commerce.chat.model import Edit, Enclosed, Member, Room
from protocol.ids import RoomId, UserId
from protocol.views import Person


class World:
    """People by first name; each act is a transaction of its own, and a second later."""

    def __init__(self, database, clock):
        self.database = database
        self.clock = clock
        self.people = {}

    async def add_people(self, *names):
        async with self.database.transaction() as tx:
            for name in names:
                person = Person(id=UserId(tx.mint("usr")), name=name)
                email = f"{name}@example.org"
                await accounts.import_user(tx, NewUser(id=person.id, email=email, name=name))
                self.people[name] = person

    @asynccontextmanager
    async def act(self):
        self.clock.advance(seconds=1)
        async with self.database.transaction() as tx:
            yield tx

    def __getitem__(self, name):
        return self.people[name]

    def id(self, name):
        return self.people[name].id

    async def send(self, name, room, text="hello", *, key=None, **enclosed):
        async with self.act() as tx:
            return await chat.send(
                tx, self[name], room, text, key=key, enclosed=Enclosed(**enclosed)
            )

    async def edit(self, name, room, message, text, **more):
        async with self.act() as tx:
            return await chat.edit(tx, self[name], room, message, change=Edit(text=text, **more))

    async def react(self, name, room, message, emoji="👍", *, on=True):
        async with self.act() as tx:
            return await chat.react(tx, self[name], room, message, emoji=emoji, on=on)

    async def delete(self, name, room, message):
        async with self.act() as tx:
            return await chat.delete(tx, self.id(name), room, message)

    async def join(self, name, room):
        async with self.act() as tx:
            await chat.join(tx, self[name], room)

    async def leave(self, name, room):
        async with self.act() as tx:
            await chat.leave(tx, self.id(name), room)

    async def mark_read(self, name, room, seq):
        async with self.act() as tx:
            await chat.mark_read(tx, self.id(name), room, seq)

    async def open_product_room(self, product, title):
        async with self.act() as tx:
            return await chat.open_product_room(tx, product, title)

    async def open_group(self, owner, *guests, title="Friends"):
        async with self.act() as tx:
            ids = [self.id(guest) for guest in guests]
            return await chat.open_group(tx, self[owner], title, ids)

    async def open_direct(self, opener, other):
        async with self.act() as tx:
            return await chat.open_direct(tx, self[opener], [self.id(other)])

    async def invite(self, owner, room, guest):
        async with self.act() as tx:
            return await chat.invite(tx, self.id(owner), room, self.id(guest))

    async def remove(self, remover, room, member):
        async with self.act() as tx:
            await chat.remove(tx, self.id(remover), room, self.id(member))

    async def change_role(self, actor, room, name, role):
        async with self.act() as tx:
            return await chat.change_role(tx, self.id(actor), room, self.id(name), role=role)

    async def mute(self, actor, room, name, *, seconds):
        async with self.act() as tx:
            until = None if seconds is None else tx.now + timedelta(seconds=seconds)
            return await chat.mute(tx, self.id(actor), room, self.id(name), until=until)

    async def ban(self, actor, room, name, reason=""):
        async with self.act() as tx:
            await chat.ban(tx, self.id(actor), room, self.id(name), reason=reason)

    async def lift_ban(self, actor, room, name):
        async with self.act() as tx:
            await chat.lift_ban(tx, self.id(actor), room, self.id(name))

    async def set_slow_mode(self, actor, room, seconds):
        async with self.act() as tx:
            await chat.set_slow_mode(tx, self.id(actor), room, seconds)

    async def report(self, name, room, message, reason="Rude"):
        async with self.act() as tx:
            await chat.report(tx, self.id(name), room, message, reason=reason)

    async def reports_of(self, name, room, *, before=None, limit=30):
        async with self.act() as tx:
            return await chat.reports_of(tx, self.id(name), room, before=before, limit=limit)

    async def search(self, name, room, text, *, before=None, limit=30):
        reader = None if name is None else self.id(name)
        async with self.database.transaction() as tx:
            return await chat.search(tx, reader, room, text, before=before, limit=limit)

    async def view(self, name, room):
        reader = None if name is None else self.id(name)
        async with self.database.transaction() as tx:
            return (await chat.view(tx, reader, room)).summary

    async def rooms_of(self, name, *, after=None, limit=30):
        async with self.act() as tx:
            return await chat.rooms_of(tx, self.id(name), after=after, limit=limit)

    async def history(self, name, room, *, after=None, before=None, limit=100):
        reader = None if name is None else self.id(name)
        async with self.act() as tx:
            return await chat.history(tx, reader, room, after=after, before=before, limit=limit)

    async def members(self, name, room, *, after=None, limit=100):
        reader = None if name is None else self.id(name)
        async with self.act() as tx:
            return await chat.members_of(tx, reader, room, after=after, limit=limit)

    async def rights(self):
        """Return the access projection as it would be rebuilt."""
        async with self.database.transaction() as tx:
            return {(topic, member): role async for topic, member, role in chat.access(tx)}

    async def roles(self, room):
        """Return who is what in a room, by first name."""
        names = {person.id: person.name for person in self.people.values()}
        return {
            names.get(member, member): role
            for (topic, member), role in (await self.rights()).items()
            if topic == f"room:{room}"
        }

    async def import_crowd(self, *, rooms, members):
        """Fill groups with members who have no account."""
        async with self.act() as tx:
            ids = [RoomId(tx.mint("rom")) for _ in range(rooms)]
            await chat.import_rooms(tx, [a_group(room, tx.now) for room in ids])
            crowd = [a_member(room, f"usr_{n}", tx.now) for room in ids for n in range(members)]
            await chat.import_members(tx, crowd)
            return ids

    async def make_moderator(self, room, name):
        async with self.database.transaction() as tx:
            await tx.execute(
                "update room_members set role = 'moderator' where room_id = $1 and user_id = $2",
                room,
                self.id(name),
            )

    async def make_staff(self, name):
        async with self.database.transaction() as tx:
            await tx.execute("update users set roles = '{staff}' where id = $1", self.id(name))


def a_group(room, now, *, kind="group", last_seq=0):
    return Room(
        id=room, kind=kind, title="A crowd", last_seq=last_seq, created_at=now, active_at=now
    )


def a_member(room, user, now):
    return Member(room_id=room, user_id=user, user_name="Somebody", role="member", joined_at=now)
