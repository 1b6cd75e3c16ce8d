"""Why a supervisor could not bring everything up."""


class StartError(Exception):
    """Something essential did not start; the message is for the person at the keyboard.

    `exit_code` is 2 where the person has to change something, 1 where a program is at fault.
    """

    def __init__(self, sentence: str, *, exit_code: int = 1) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code
