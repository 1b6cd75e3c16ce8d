from collections.abc import Iterator
from typing import Annotated

import msgspec
import pytest

from shared.environment import (
    Profile,
    SettingsError,
    declared_variables,
    load,
    process_variables,
    read_profile,
    variable,
)


class Door(msgspec.Struct, frozen=True, kw_only=True):
    port: Annotated[int, variable("RIALTO_DOOR_PORT", "Where the door is.")] = 80
    guests: Annotated[tuple[str, ...], variable("RIALTO_DOOR_GUESTS", "Who may enter.")] = ("anna",)
    open: Annotated[bool, variable("RIALTO_DOOR_OPEN", "Whether anybody may.")] = False

    def problems(self, profile: Profile) -> Iterator[str]:
        if profile != "dev" and "*" in self.guests:
            yield "RIALTO_DOOR_GUESTS lets everybody in; name them."


class House(msgspec.Struct, frozen=True, kw_only=True):
    door: Door
    address: Annotated[str, variable("RIALTO_ADDRESS", "Where the house stands.")]
    key: Annotated[str, variable("RIALTO_KEY", "Opens it.", secret=True, required_in_prod=True)] = (
        "dev-key"
    )


def problems_of(variables):
    with pytest.raises(SettingsError) as caught:
        load(House, variables)
    return caught.value.problems


class TestSettings:
    def test_take_the_defaults_of_dev(self):
        house = load(House, {"RIALTO_ADDRESS": "Calle 1"})

        assert house == House(door=Door(), address="Calle 1", key="dev-key")

    def test_are_read_in_their_types(self):
        house = load(
            House,
            {
                "RIALTO_ADDRESS": "Calle 1",
                "RIALTO_DOOR_PORT": "8080",
                "RIALTO_DOOR_GUESTS": "bo, cy ,",
                "RIALTO_DOOR_OPEN": "true",
            },
        )

        assert house.door == Door(port=8080, guests=("bo", "cy"), open=True)

    def test_name_everything_that_is_missing_or_malformed_at_once(self):
        problems = problems_of({"RIALTO_DOOR_PORT": "eighty", "RIALTO_DOOR_OPEN": "perhaps"})

        assert [problem.split()[0] for problem in problems] == [
            "RIALTO_DOOR_PORT",
            "RIALTO_DOOR_OPEN",
            "RIALTO_ADDRESS",
        ]
        assert "'eighty'" in problems[0]

    def test_refuse_dev_defaults_in_prod(self):
        problems = problems_of({"RIALTO_PROFILE": "prod", "RIALTO_ADDRESS": "Calle 1"})

        assert problems == ["RIALTO_KEY is not set: Opens it."]

    def test_hold_rules_between_them(self):
        problems = problems_of(
            {
                "RIALTO_PROFILE": "staging",
                "RIALTO_ADDRESS": "Calle 1",
                "RIALTO_KEY": "s3cret",
                "RIALTO_DOOR_GUESTS": "*",
            }
        )

        assert problems == ["RIALTO_DOOR_GUESTS lets everybody in; name them."]

    def test_never_show_a_secret(self):
        class Safe(msgspec.Struct, frozen=True, kw_only=True):
            code: Annotated[int, variable("RIALTO_CODE", "A number.", secret=True)] = 0

        with pytest.raises(SettingsError) as caught:
            load(Safe, {"RIALTO_CODE": "hunter2"})

        assert "hunter2" not in str(caught.value)

    def test_list_their_variables_in_order(self):
        declared = [one.variable.name for one in declared_variables(House)]

        assert declared == [
            "RIALTO_DOOR_PORT",
            "RIALTO_DOOR_GUESTS",
            "RIALTO_DOOR_OPEN",
            "RIALTO_ADDRESS",
            "RIALTO_KEY",
        ]


class TestTheProfile:
    def test_is_dev_unless_named(self):
        assert read_profile({}) == "dev"

    def test_must_be_one_of_three(self):
        with pytest.raises(SettingsError, match="dev, staging, prod"):
            read_profile({"RIALTO_PROFILE": "production"})


class TestTheEnvironmentOfTheProcess:
    def test_is_a_copy(self, monkeypatch):
        monkeypatch.setenv("RIALTO_ADDRESS", "Calle 2")
        variables = process_variables()
        monkeypatch.setenv("RIALTO_ADDRESS", "Calle 3")

        assert variables["RIALTO_ADDRESS"] == "Calle 2"
