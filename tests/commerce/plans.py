"""How Postgres goes about a statement, read from its own account."""

import msgspec


class Node(msgspec.Struct, kw_only=True):
    """One step of a plan; the keys that matter here."""

    node_type: str = msgspec.field(name="Node Type")
    relation: str = msgspec.field(name="Relation Name", default="")
    index: str = msgspec.field(name="Index Name", default="")
    rows: float = msgspec.field(name="Actual Rows", default=0)
    loops: float = msgspec.field(name="Actual Loops", default=1)
    removed: float = msgspec.field(name="Rows Removed by Filter", default=0)
    plans: list["Node"] = msgspec.field(name="Plans", default_factory=list)

    def steps(self):
        yield self
        for plan in self.plans:
            yield from plan.steps()


async def plan_of(database, sql, *arguments):
    """Run a statement and return what Postgres did."""
    async with database.transaction() as tx:
        [[found]] = await tx._connection.fetch(f"explain (analyze, format json) {sql}", *arguments)
    return msgspec.convert(found[0]["Plan"], Node)


def rows_read(plan):
    """Return how many rows of tables were looked at."""
    return sum((step.rows + step.removed) * step.loops for step in plan.steps() if step.relation)


def scanned(plan):
    """Return the tables that were read from end to end."""
    return {step.relation for step in plan.steps() if step.node_type == "Seq Scan"}


def indexes(plan):
    """Return the indexes that were used."""
    return {step.index for step in plan.steps() if step.index}
