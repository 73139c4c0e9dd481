"""The one exception whose message is meant for the user."""


class UserError(Exception):
    """A mistake that the user can mend: one sentence that names the thing and the remedy.

    Scripts print the message and stop; they never show a traceback for it.
    """
