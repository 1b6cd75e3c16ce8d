"""The secrets behind licences."""
