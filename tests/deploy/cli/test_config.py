"""Settings can be seen, and the example file tells the truth."""

import json

from deploy.configuration import EXAMPLE, example
from deploy.program_settings import all_variables
from tests.deploy.cli.rialto import run


class TestTheExampleFile:
    def test_is_what_the_settings_types_say(self):
        assert EXAMPLE.read_text() == example()

    def test_names_every_variable_once(self):
        names = [declared.variable.name for _, declared in all_variables()]

        assert len(names) == len(set(names))
        assert all(f"#{name}=" in example() for name in names)

    def test_holds_no_secret(self):
        secrets = [declared for _, declared in all_variables() if declared.variable.secret]

        assert secrets
        assert all(f"#{each.variable.name}=\n" in example() for each in secrets)


class TestConfig:
    def test_tells_where_a_value_comes_from_and_hides_secrets(self, tmp_path):
        _, said = run(
            "config",
            *("--json", "--data", tmp_path),
            RIALTO_LOG_LEVEL="debug",
            RIALTO_DATABASE_URL="postgresql://me:hidden-word@localhost/shop",
        )

        shown = {each["name"]: each for each in json.loads(said)["variables"]}
        assert "hidden-word" not in said
        assert shown["RIALTO_LOG_LEVEL"]["value"] == "debug"
        assert shown["RIALTO_LOG_LEVEL"]["source"] == "environment"
        assert shown["RIALTO_WEB_PORT"]["source"] == "default"
