"""What can go wrong with the books. All of it is a mistake of ours, and none of it is retried."""


class UnbalancedPostingError(ValueError):
    """The entries of a posting do not come to nothing in each currency."""

    def __init__(self, key: str) -> None:
        super().__init__(f"The entries of {key} do not balance.")


class PostingDiffersError(ValueError):
    """Something was posted under this key already, and it was something else."""

    def __init__(self, key: str) -> None:
        super().__init__(f"{key} is posted already, and differently.")
