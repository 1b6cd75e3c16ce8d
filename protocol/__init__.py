"""The words the programs share: ids, money, topics, frames, commands, events. Pure data, no I/O."""
