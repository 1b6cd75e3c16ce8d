"""What kinds of topics there are, as far as hearing them goes."""

from protocol.topics import Topic


def is_room(topic: Topic) -> bool:
    """Say whether the topic is a room's, where people see one another."""
    return topic.startswith("room:")


def is_granted(topic: Topic) -> bool:
    """Say whether the right to hear the topic is one that is given and taken away."""
    return topic.startswith(("room:", "order:"))
