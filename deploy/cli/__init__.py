"""The words of `./rialto`."""
