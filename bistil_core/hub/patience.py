"""Trying again what may yet succeed, and saying what to do about what will not."""

import logging
import os
import time
from collections.abc import Callable
from typing import TypeVar

import httpx2
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from bistil_core.errors import BistilError

LOGGER = logging.getLogger("bistil")
Found = TypeVar("Found")

WAITS = (1, 2, 4, 8, 16, 32)
"""Seconds before each further attempt."""

_LONGEST_WAIT = 300
_TIMEOUT, _TOO_MANY = 408, 429


class Interrupted(Exception):
    """A transfer that ended early or arrived damaged: worth another attempt."""


def patiently(what: str, address: str, attempt: Callable[[], Found]) -> Found:
    """The result of `attempt`, called again after 408, 429, 5xx and lost connections, waiting longer each time.

    A `Retry-After` of the server's is honoured up to five minutes.

    Args:
        what: what is fetched, for messages, such as "data set facebook/xnli".
        address: of the repository's page.
        attempt: makes the request.

    Raises:
        BistilError: no attempt succeeded, or the hub refused in a way that waiting does not mend.
    """
    for number, wait in enumerate((*WAITS, None), start=1):
        try:
            return attempt()
        except (Interrupted, httpx2.TransportError, HfHubHTTPError, OfflineModeIsEnabled, EntryNotFoundError) as error:
            reason = _passing(error)
            if reason is None:
                raise BistilError(_explained(what, address, error)) from error
            if wait is None:
                raise BistilError(
                    f"{what}: gave up after {number} attempts, the last one failed with: {reason}. Check the network "
                    "and run the same command again: what has arrived is kept and the download goes on from there"
                ) from error
            wait = max(wait, _asked_for(error))
            LOGGER.info("%s: %s; trying again in %d s", what, reason, wait)
        time.sleep(wait)
    raise AssertionError("the last attempt returns or raises")


def _passing(error: Exception) -> str | None:
    """What is the matter, if it may pass; None if trying again is of no use."""
    if isinstance(error, HfHubHTTPError):
        status = error.response.status_code
        return f"the hub answered {status}" if status in (_TIMEOUT, _TOO_MANY) or status >= 500 else None
    if isinstance(error, Interrupted):
        return str(error)
    return f"connection lost ({error or type(error).__name__})" if isinstance(error, httpx2.TransportError) else None


def _asked_for(error: Exception) -> int:
    asked = error.response.headers.get("Retry-After", "") if isinstance(error, HfHubHTTPError) else ""
    return min(int(asked), _LONGEST_WAIT) if asked.isdigit() else 0


def _explained(what: str, address: str, error: Exception) -> str:
    token = "HF_TOKEN is set, but not allowed in" if os.environ.get("HF_TOKEN") else "HF_TOKEN is not set"
    match error:
        case OfflineModeIsEnabled():
            return (
                f"{what}: HF_HUB_OFFLINE is set, so nothing can be downloaded. Run the downloads where there is a "
                "network and HF_HUB_OFFLINE is not set (docs/downloads.md), then the rest offline"
            )
        case GatedRepoError():
            return (
                f"{what} is gated and {token}. Accept its conditions at {address} with your account, create a read "
                "token in that account's settings, and set it: export HF_TOKEN=..."
            )
        case RevisionNotFoundError():
            return f"{what}: there is no such `revision`; choose a commit, tag or branch from {address}/commits/main"
        case RepositoryNotFoundError():
            return (
                f"{what}: the hub has no such repository, or it is private and {token}. Correct `repository` "
                f"(owner/name, see {address}), or set HF_TOKEN to a token of an account that may read it"
            )
        case EntryNotFoundError():
            return f"{what}: the hub lists this file but has it no more; choose another `revision` from {address}"
        case HfHubHTTPError() if error.response.status_code in (401, 403):
            return f"{what}: the hub refuses access ({error.response.status_code}) and {token}; see {address}"
    status = error.response.status_code if isinstance(error, HfHubHTTPError) else type(error).__name__
    return f"{what}: the hub answered {status}, which trying again will not mend; see {address}"
