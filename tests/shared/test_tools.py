import io
import itertools
import json
import random
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from protocol.ids import ID_PATTERN
from shared.backoff import full_jitter
from shared.clock import SystemClock, unix_ms
from shared.ids import mint_id, minted_ms
from shared.logging import configure_logging, get_audit_logger, get_logger, redact

MOMENTS = st.datetimes(
    # hypothesis takes naive bounds and adds the zone itself
    min_value=datetime(2000, 1, 1),  # noqa: DTZ001
    max_value=datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)


class TestAnId:
    @given(moment=MOMENTS)
    def test_has_the_form_the_protocol_asks_for(self, moment):
        assert re.fullmatch(ID_PATTERN, mint_id("ord", moment))

    @given(moment=MOMENTS, later=st.integers(min_value=1, max_value=10**9))
    def test_sorts_by_the_time_it_was_minted(self, moment, later):
        first = mint_id("ord", moment)
        second = mint_id("ord", moment + timedelta(milliseconds=later))

        assert first < second

    @given(moment=MOMENTS)
    def test_tells_when_it_was_minted(self, moment):
        assert minted_ms(mint_id("ses", moment)) == unix_ms(moment)

    @pytest.mark.parametrize("other", ["", "ses", "ses_1", "ses_" + "u" * 26, "0" * 26])
    def test_that_is_none_of_ours_was_minted_long_ago(self, other):
        assert minted_ms(other) == 0

    def test_is_never_minted_twice(self):
        moment = datetime(2026, 11, 23, tzinfo=UTC)

        assert len({mint_id("msg", moment) for _ in range(10_000)}) == 10_000


class TestFullJitter:
    def test_draws_from_a_ceiling_that_doubles_up_to_the_cap(self):
        class Highest(random.Random):
            def uniform(self, a, b):
                return b

        pauses = full_jitter(base_seconds=0.5, cap_seconds=20, source=Highest())

        assert list(itertools.islice(pauses, 8)) == [0.5, 1, 2, 4, 8, 16, 20, 20]

    def test_stays_between_nothing_and_the_ceiling(self):
        pauses = itertools.islice(full_jitter(base_seconds=1, cap_seconds=4), 200)

        assert all(0 <= pause <= 4 for pause in pauses)


class TestTheClock:
    def test_tells_utc(self):
        assert SystemClock().now().tzinfo is UTC

    def test_is_written_in_whole_milliseconds(self):
        assert unix_ms(datetime(1970, 1, 1, 0, 0, 1, 234_999, tzinfo=UTC)) == 1234


class TestALogLine:
    def test_is_one_json_object_with_everything_bound(self, capsys):
        configure_logging(program="test")

        get_logger("door").info("door.opened", guest="anna")

        line = json.loads(capsys.readouterr().err)
        assert line["event"] == "door.opened"
        assert (line["program"], line["part"], line["guest"]) == ("test", "door", "anna")

    def test_goes_to_the_standard_error_of_its_moment(self, capsys, monkeypatch):
        closed = io.StringIO()
        monkeypatch.setattr("sys.stderr", closed)
        configure_logging(program="test")
        monkeypatch.undo()
        closed.close()

        get_logger("door").info("door.opened")

        assert "door.opened" in capsys.readouterr().err

    def test_below_the_level_is_not_written(self, capsys):
        configure_logging(program="test", level="warning")

        get_logger("door").info("door.opened")

        assert capsys.readouterr().err == ""

    def test_of_what_people_did_with_power_is_written_whatever_the_level(self, capsys):
        configure_logging(program="test", level="error")

        get_audit_logger("audit").info("operator.kicked", operator="grace", token="x")

        line = json.loads(capsys.readouterr().err)
        assert (line["event"], line["operator"], line["part"]) == (
            "operator.kicked",
            "grace",
            "audit",
        )
        assert line["token"] == "[redacted]"

    def test_for_people_is_text(self, capsys):
        configure_logging(program="test", machine_readable=False)

        get_logger("door").info("door.opened")

        assert "door.opened" in capsys.readouterr().err

    def test_never_shows_what_is_secret_at_any_depth(self):
        event = {
            "password": "hunter2",
            "headers": {"Authorization": "Bearer x", "nested": {"api_token": "y"}},
            "guest": "anna",
        }

        assert redact(None, "info", event) == {
            "password": "[redacted]",
            "headers": {"Authorization": "[redacted]", "nested": {"api_token": "[redacted]"}},
            "guest": "anna",
        }
