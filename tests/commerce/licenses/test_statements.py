"""What it costs to ask after a key: products do so each time they are started."""

from commerce.licenses import service
from tests.commerce.chat.test_statements import statements_of


async def test_a_key_is_asked_after_in_two_statements(shop, database):
    held = (await shop.sell(3))[1]
    key = shop.key(held)
    await shop.activate(key, "laptop-0001")

    async with database.transaction() as tx:
        with statements_of(tx) as sent:
            code, _ = await service.validate(tx, key, "laptop-0001", keys=shop.keys)

    assert code == "valid"
    assert len(sent) == 2
