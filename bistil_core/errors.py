"""The one exception that is meant for the person at the keyboard."""


class BistilError(Exception):
    """Something the user can put right: the message names the key or file, the value found, and the remedy."""
