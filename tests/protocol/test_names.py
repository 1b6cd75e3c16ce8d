import pytest

from protocol import stream_names
from protocol.close_codes import CLOSE_CODES
from protocol.commands import CancelOrder, EditMessage, MarkRead, PlaceOrder, SendMessage
from protocol.error_codes import ERROR_CODES
from protocol.topics import (
    MalformedTopicError,
    order_topic,
    parse_topic,
    product_topic,
    room_topic,
    user_topic,
)
from tests.protocol.samples import COMMANDS, MESSAGE, ORDER, PRODUCT, ROOM, USER


class TestATopicName:
    @pytest.mark.parametrize(
        ("topic", "kind", "identity"),
        [
            (user_topic(USER), "user", USER),
            (room_topic(ROOM), "room", ROOM),
            (product_topic(PRODUCT), "product", PRODUCT),
            (order_topic(ORDER), "order", ORDER),
        ],
    )
    def test_says_what_it_is_about(self, topic, kind, identity):
        assert parse_topic(topic) == (kind, identity)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "room",
            "room:",
            f"room:{USER}",
            f"user:{USER}\n",
            f"shop:{USER}",
            "room:rom_1",
            "user:*",
        ],
    )
    def test_that_is_malformed_is_refused(self, text):
        with pytest.raises(MalformedTopicError):
            parse_topic(text)


class TestTheKeysOfATopic:
    def test_share_one_hash_slot(self):
        topic = room_topic(ROOM)
        keys = [
            name(topic)
            for name in (
                stream_names.topic_log,
                stream_names.topic_meta,
                stream_names.topic_seen,
                stream_names.topic_access,
                stream_names.topic_presence,
                stream_names.topic_live_channel,
                stream_names.topic_signal_channel,
            )
        ]

        assert {key[key.index("{") : key.index("}") + 1] for key in keys} == {f"{{{topic}}}"}
        assert len(set(keys)) == len(keys)


class TestThePartitionOfACommand:
    def test_is_the_same_for_all_that_change_one_room(self):
        said = stream_names.command_partition(SendMessage(room=ROOM, text="x"), USER)
        edited = stream_names.command_partition(
            EditMessage(room=ROOM, message=MESSAGE, text="y"), "usr_other"
        )

        assert said == edited

    def test_is_the_same_for_all_a_buyer_does(self):
        commands = [
            PlaceOrder(cart_version=1),
            CancelOrder(order=ORDER),
            MarkRead(room=ROOM, seq=1),
        ]

        assert len({stream_names.command_partition(command, USER) for command in commands}) == 1

    def test_exists_for_every_command(self):
        for command in COMMANDS:
            partition = stream_names.command_partition(command, USER)
            assert stream_names.command_stream(partition) == f"commands:{{{partition}}}"
            assert 0 <= partition < stream_names.COMMAND_PARTITIONS

    def test_spreads_rooms_over_all_partitions(self):
        used = {
            stream_names.command_partition(SendMessage(room=f"rom_{number:026d}", text="x"), USER)
            for number in range(500)
        }

        assert used == set(range(stream_names.COMMAND_PARTITIONS))


class TestTheTablesOfCodes:
    @pytest.mark.parametrize("table", [ERROR_CODES, CLOSE_CODES])
    def test_use_every_code_and_name_once(self, table):
        assert len({row.code for row in table}) == len({row.name for row in table}) == len(table)

    def test_keep_close_codes_in_the_private_range(self):
        assert all(4000 <= row.code <= 4999 for row in CLOSE_CODES)

    def test_say_by_the_code_whether_to_reconnect(self):
        assert {row.name for row in CLOSE_CODES if not row.reconnect} == {
            "invalid_ticket",
            "malformed",
            "hello_timeout",
            "revoked",
            "connection_limit",
            "removed",
        }
