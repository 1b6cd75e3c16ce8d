"""Write the golden frames that do not exist yet: `python -m tests.protocol.write_golden`.

A golden file is never rewritten: what was shipped must decode for ever. Who means to change one
deletes it, and answers for it in review.
"""

from pathlib import Path

from protocol.codec import encode_frame
from tests.protocol.samples import CLIENT_FRAMES, SERVER_FRAMES

GOLDEN = Path(__file__).parent / "golden"


def main():
    for side, frames in (("client", CLIENT_FRAMES), ("server", SERVER_FRAMES)):
        (GOLDEN / side).mkdir(parents=True, exist_ok=True)
        for name, frame in frames.items():
            for wire_format in ("json", "msgpack"):
                file = GOLDEN / side / f"{name}.{wire_format}"
                if not file.exists():
                    file.write_bytes(encode_frame(frame, wire_format))


if __name__ == "__main__":
    main()
