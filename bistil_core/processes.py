"""The processes that train one model together: what each takes of a batch, and what they add up.

Every process holds the whole model and the whole optimiser, and does the same with them. A batch is dealt out row by
row; each loss is a mean over what the rows of all processes hold, so that the sum of the processes' gradients is the
gradient of the whole batch, to the rounding of float32. Alone, every function here returns what it was given.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, distributed
from torch.utils.data import Sampler


def process_count() -> int:
    """Processes that train together; 1 for one that trains alone."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def process_number() -> int:
    """The place of this process among them, from 0."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def is_first() -> bool:
    """Whether this is the process that writes files and speaks to the person who watches."""
    return process_number() == 0


def wait_for_all() -> None:
    """Return when every process has come here: what the first has written may be read then."""
    if process_count() > 1:
        distributed.barrier()


class DealtBatches(Sampler[list]):
    """Of each batch the rows of this process: every n-th, so that a batch sorted by length is dealt out evenly.

    A batch of fewer rows than processes is dealt out n times over: each has some, and every mean stays what it is.
    """

    def __init__(self, batches: Sampler):
        self.batches = batches

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[list]:
        count = process_count()
        for batch in self.batches:
            rows = batch if len(batch) >= count else batch * count
            yield rows[process_number() :: count]


def part_of_mean(mean: Tensor, items: Tensor | int) -> Tensor:
    """What this process's rows have in a mean over the rows of all processes; the parts of all add up to it.

    In a validation, where no gradient is taken, each process has batches of its own: the mean is returned.

    Args:
        mean: over the items of this process; not finite where there are none.
        items: how many these are, a number or int64 of `mean`'s shape.
    """
    if process_count() == 1 or not torch.is_grad_enabled():
        return mean
    own = torch.as_tensor(items, device=mean.device).to(mean.dtype)
    return torch.where(own > 0, mean * (own / summed(own)), 0.0)


def summed(values: Tensor) -> Tensor:
    """The sum of `values` over the processes, the same bits in each."""
    if process_count() > 1:
        values = values.clone()
        distributed.all_reduce(values)
    return values


def sum_gradients(parameters: Iterable[torch.nn.Parameter]) -> None:
    """Give each parameter the sum of its gradients in all processes."""
    if process_count() > 1:
        present = [parameter.grad for parameter in parameters if parameter.grad is not None]
        for work in [distributed.all_reduce(gradient, async_op=True) for gradient in present]:
            work.wait()


def dealt(items: list) -> list:
    """Every n-th of a list: the part of it that is this process's to do."""
    return items[process_number() :: process_count()]


def gathered(own: list[Any]) -> list[Any]:
    """What became of the parts that `dealt` gave, one object for each item, in the order of the whole list."""
    if process_count() == 1:
        return own
    parts: list[list[Any]] = [[] for _ in range(process_count())]
    distributed.all_gather_object(parts, own)
    whole: list[Any] = [None] * sum(map(len, parts))
    for number, part in enumerate(parts):
        whole[number :: len(parts)] = part
    return whole
