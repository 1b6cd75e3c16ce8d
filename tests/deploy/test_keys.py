import stat

import msgspec
import pytest

from deploy.keys import read_or_make_keys
from deploy.supervisor.errors import StartError
from gateway.settings import OperatorSettings
from shared.environment import SettingsError, load


class TestTheKeysOfADataFolder:
    def test_are_made_once_for_their_owner_alone(self, tmp_path):
        path = tmp_path / "secrets.json"

        made = read_or_make_keys(path)

        assert read_or_make_keys(path) == made
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert len(set(msgspec.structs.astuple(made))) == len(msgspec.structs.astuple(made))

    def test_of_an_earlier_version_are_kept_and_completed(self, tmp_path):
        path = tmp_path / "secrets.json"
        made = msgspec.to_builtins(read_or_make_keys(path))
        older = {name: made[name] for name in ("ticket_signing_key", "postgres_password")}
        path.write_bytes(msgspec.json.encode(older))

        completed = read_or_make_keys(path)

        assert completed.ticket_signing_key == made["ticket_signing_key"]
        assert completed.license_secret != made["license_secret"]
        assert read_or_make_keys(path) == completed

    @pytest.mark.parametrize("text", ["", "[]", '{"ticket_signing_key": 1}'])
    def test_that_cannot_be_read_stop_the_start(self, tmp_path, text):
        path = tmp_path / "secrets.json"
        path.write_text(text)

        with pytest.raises(StartError, match="cannot be read") as caught:
            read_or_make_keys(path)
        assert caught.value.exit_code == 2


class TestTheOperatorToken:
    def test_that_can_be_guessed_is_refused_and_not_shown(self):
        with pytest.raises(SettingsError) as refusal:
            load(OperatorSettings, {"RIALTO_OPERATOR_TOKEN": "hunter2"})

        assert "too short" in str(refusal.value)
        assert "hunter2" not in str(refusal.value)

    def test_that_is_made_can_not_be_guessed(self, tmp_path):
        made = read_or_make_keys(tmp_path / "secrets.json").operator_token

        assert load(OperatorSettings, {"RIALTO_OPERATOR_TOKEN": made}).token == made

    def test_is_needed_outside_dev(self):
        with pytest.raises(SettingsError, match="RIALTO_OPERATOR_TOKEN is not set"):
            load(OperatorSettings, {"RIALTO_PROFILE": "prod"})
