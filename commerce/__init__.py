"""The business program: asyncio, Quart, Postgres. It owns every fact."""
