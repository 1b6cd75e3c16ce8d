"""`python -m deploy`, which is what `./rialto` runs."""

from deploy.cli.root import rialto

if __name__ == "__main__":
    rialto(prog_name="rialto")
