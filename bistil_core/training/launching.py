"""One training step in several processes of one machine, by PyTorch's elastic launcher."""

import functools
import logging
import os
import signal
import tempfile
from collections.abc import Callable
from typing import Any, NoReturn

import torch
from torch import distributed
from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from bistil_core.errors import BistilError
from bistil_core.processes import is_first

OF_THE_LAUNCHER = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "GROUP_RANK", "ROLE_RANK", "ROLE_WORLD_SIZE")
LEFT = tuple(128 + number for number in (signal.SIGTERM, signal.SIGINT))


def in_processes(step: Callable[..., None]) -> Callable[..., None]:
    """A training step that takes `processes` beside its own arguments, and shares its `threads` out among them.

    Each process has a GPU to itself where there are some. The first is the step as it is when alone: it writes, logs,
    and leaves with a checkpoint when told to; the others end with it. Should one fail, the launcher ends all.
    """

    @functools.wraps(step)
    def launched(*arguments: Any, processes: int = 1, threads: int = 1, **named: Any) -> None:
        if processes == 1:
            step(*arguments, threads=threads, **named)
        else:
            _launch(processes, functools.partial(step, *arguments, threads=max(1, threads // processes), **named))

    return launched


def _launch(processes: int, step: Callable[[], None]) -> None:
    # Forked, since a process that is started anew would run the caller's script again; CUDA must be left to the forks,
    # so that NVML counts the GPUs.
    os.environ["PYTORCH_NVML_BASED_CUDA_CHECK"] = "1"
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    with tempfile.TemporaryDirectory() as logs:
        config = LaunchConfig(
            min_nodes=1,
            max_nodes=1,
            nproc_per_node=processes,
            run_id="bistil",
            rdzv_backend="c10d",
            rdzv_endpoint="localhost:0",
            local_addr="localhost",
            max_restarts=0,
            start_method="fork",
            virtual_local_rank=True,
            logs_specs=DefaultLogsSpecs(log_dir=logs),
        )
        try:
            elastic_launch(config, _work)(step)
        except SignalException as stopped:
            raise SystemExit(128 + stopped.sigval) from None
        except ChildFailedError as failed:
            _raise_first(failed)


def _work(step: Callable[[], None]) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    distributed.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
    # The Trainer shall take itself for alone: it would average gradients, where they must be added.
    for name in OF_THE_LAUNCHER:
        os.environ.pop(name, None)
    logging.getLogger("transformers.training_args").setLevel(logging.ERROR)
    if not is_first():
        # It is the first that must have saved before it leaves; these end when they hear no more of it.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        logging.disable(logging.WARNING)
    step()
    distributed.destroy_process_group()


def _raise_first(failed: ChildFailedError) -> NoReturn:
    """End as the process that failed first did."""
    number, failure = failed.get_first_failure()
    if failure.exitcode in LEFT:
        raise SystemExit(failure.exitcode) from None
    said = (failure.error_file_data or {}).get("message", failure.message)
    text, trace = (said["message"], said["extraInfo"]["py_callstack"]) if isinstance(said, dict) else (said, "")
    kind, _, message = text.partition(": ")
    if kind == BistilError.__name__:
        raise BistilError(message) from None
    raise RuntimeError(f"process {number} of {len(failed.failures)} that failed: {text}\n{trace}") from None
