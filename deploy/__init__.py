"""The `rialto` command: it starts the programs as processes and watches over them."""
