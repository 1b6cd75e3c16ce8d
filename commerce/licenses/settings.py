"""The secrets of licences."""

from collections.abc import Iterator
from typing import Annotated, Final

import msgspec

from shared.environment import Profile, variable
from shared.tickets import MalformedKeyError, TicketSigner

DEV_SECRET: Final = "rialto development license secret, known to all"  # noqa: S105 - known on purpose
DEV_FILE_KEY: Final = "dev:cmlhbHRvIGxpY2Vuc2UgZGV2ZWxvcG1lbnQga2V5ISE="
"""Known to everybody: for development only. Staging and prod refuse them."""


class LicenseSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What keys are made with, and what files are signed with."""

    secret: Annotated[
        str,
        msgspec.Meta(min_length=32, max_length=512),
        variable(
            "RIALTO_LICENSE_SECRET",
            "What licence keys are derived and hashed with, 32 characters or more. "
            "Whoever changes it makes every key that was sold unknown.",
            secret=True,
            required_in_prod=True,
        ),
    ] = DEV_SECRET
    file_keys: Annotated[
        tuple[str, ...],
        msgspec.Meta(min_length=1, max_length=8),
        variable(
            "RIALTO_LICENSE_FILE_KEYS",
            "Private keys of licence files, as kid:base64 of 32 bytes, by commas. The first signs; "
            "all are published, so that files signed before a rotation stay good.",
            secret=True,
            required_in_prod=True,
        ),
    ] = (DEV_FILE_KEY,)

    def problems(self, profile: Profile) -> Iterator[str]:
        """Yield a sentence for each rule that `profile` finds broken."""
        try:
            names = [TicketSigner(key).verifying_key.partition(":")[0] for key in self.file_keys]
        except MalformedKeyError as error:
            yield f"RIALTO_LICENSE_FILE_KEYS is malformed: {error}."
        else:
            if len(set(names)) < len(names):
                yield "RIALTO_LICENSE_FILE_KEYS names two keys alike."
        if profile == "dev":
            return
        if self.secret == DEV_SECRET:
            yield "RIALTO_LICENSE_SECRET is the dev secret, which only the dev profile takes."
        if DEV_FILE_KEY in self.file_keys:
            yield "RIALTO_LICENSE_FILE_KEYS holds the dev key, which only the dev profile takes."
