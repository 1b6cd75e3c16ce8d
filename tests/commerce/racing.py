"""Real connections that start together; whichever wins, the shop must be right."""

import asyncio


async def race(database, *acts):
    """Run each act in a transaction of its own; all have begun before any goes on."""
    barrier = asyncio.Barrier(len(acts))

    async def run(act):
        async with database.transaction() as tx:
            await tx.value(int, "select 1")
            await barrier.wait()
            return await act(tx)

    return await asyncio.gather(*(run(act) for act in acts), return_exceptions=True)


def won(outcomes):
    return [each for each in outcomes if not isinstance(each, BaseException)]


def lost(outcomes):
    return [type(each) for each in outcomes if isinstance(each, BaseException)]
