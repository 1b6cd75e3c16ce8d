"""A small program to be supervised: it answers /readyz on a port, or fails as it is told to.

python stand_in.py serve PORT [--deaf] [--journal FILE NAME]
python stand_in.py fail CODE
"""

import argparse
import signal
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path


class Readiness(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["serve", "fail"])
    parser.add_argument("number", type=int)
    parser.add_argument("--deaf", action="store_true")
    parser.add_argument("--journal", nargs=2)
    asked = parser.parse_args()
    if asked.what == "fail":
        sys.stderr.write("it went wrong because it was told to\n")
        sys.exit(asked.number)

    def stop(*_):
        if asked.journal:
            with Path(asked.journal[0]).open("a") as journal:
                journal.write(f"{asked.journal[1]}\n")
        sys.exit(0)

    signal.signal(signal.SIGTERM, signal.SIG_IGN if asked.deaf else stop)
    HTTPServer(("127.0.0.1", asked.number), Readiness).serve_forever()


if __name__ == "__main__":
    main()
