"""The stand-in's objects in this very process, without a server: for what is quicker so."""

import msgspec

from deploy.stripe_standin.forms import decode, parse
from deploy.stripe_standin.routes import all_routes
from deploy.stripe_standin.store import Store
from deploy.stripe_standin.world import World
from tests.fakes.clock import SettableClock

ROUTES = all_routes()


def new_world():
    return World(Store(None), SettableClock(), public_url="http://pay.example")


def post(world, path, form=""):
    """Carry out a request as the API's door does, and return the object."""
    route, identity = ROUTES.match("POST", path)
    asked = decode(parse(form), route.takes)
    with world.store.transaction():
        return msgspec.json.decode(msgspec.json.encode(route.handler(world, asked, identity)))
