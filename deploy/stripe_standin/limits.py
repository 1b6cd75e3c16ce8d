"""Every bound of the stand-in, with its unit. Where Stripe documents one, it is Stripe's."""

from typing import Final

API_VERSION: Final = "2026-10-28.endive"
"""The one version spoken here: the one the SDK pins."""

BODY_BYTES_MAX: Final = 256 * 1024
PARAMETERS_COUNT_MAX: Final = 1_000
PARAMETER_DEPTH_MAX: Final = 6
PARAMETER_CHARACTERS_MAX: Final = 5_000

METADATA_KEYS_MAX: Final = 50
METADATA_KEY_CHARACTERS_MAX: Final = 40
METADATA_VALUE_CHARACTERS_MAX: Final = 500

LIST_LIMIT_DEFAULT: Final = 10
LIST_LIMIT_MAX: Final = 100
EXPANSION_DEPTH_MAX: Final = 4

IDEMPOTENCY_KEY_CHARACTERS_MAX: Final = 255
IDEMPOTENCY_SECONDS: Final = 24 * 3600

SIGNATURE_TOLERANCE_SECONDS: Final = 300
DELIVERY_ATTEMPTS_MAX: Final = 8
DELIVERY_RETRY_SECONDS: Final = (1.0, 5.0, 30.0, 120.0, 600.0, 3_600.0, 4 * 3_600.0)
"""The pause after each failed attempt; one fewer than there are attempts."""
DELIVERY_ANSWER_SECONDS_MAX: Final = 10.0
DELIVERIES_AT_ONCE_MAX: Final = 4
ENDPOINTS_COUNT_MAX: Final = 16
"""Webhook endpoints of a test account."""

FAULTS_COUNT_MAX: Final = 1_000
FAULT_SILENCE_SECONDS_MAX: Final = 120.0

BILLING_TICK_SECONDS: Final = 1.0
"""How often subscriptions that are on no test clock are looked at."""
BILLING_PERIODS_MAX: Final = 1_000
"""Periods that one advance of a clock may bill for one subscription."""

assert len(DELIVERY_RETRY_SECONDS) == DELIVERY_ATTEMPTS_MAX - 1
