"""Facts about subscriptions, told on the subscriber's topic."""

from protocol.events.event import Event
from protocol.views import Subscription


class SubscriptionChanged(Event, frozen=True, kw_only=True, tag="subscription_changed"):
    """A subscription is in another state, on another plan or in another period."""

    subscription: Subscription
