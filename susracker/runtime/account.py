"""The account that the program runs under."""

from __future__ import annotations

import getpass
import os


def actor() -> str:
    """Who types a command: an account of this machine, as "os:NAME".

    Where the system has numbers of accounts, the name is that of the number: the environment, which
    anyone can set, is not believed.
    """
    if not hasattr(os, "getuid"):
        return f"os:{getpass.getuser()}"
    import pwd

    try:
        return f"os:{pwd.getpwuid(os.getuid()).pw_name}"
    except KeyError:
        return f"os:{os.getuid()}"
