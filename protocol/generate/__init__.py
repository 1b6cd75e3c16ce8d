"""What is generated from the types: JSON Schema, AsyncAPI, TypeScript, the tables of the README.

`python -m protocol.generate` writes the files, `--check` says which of them are out of date.
"""
