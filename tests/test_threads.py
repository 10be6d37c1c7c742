import os
import subprocess
import sys

import pytest

from bistil_core.threads import usable_cpus

COUNT = """
from bistil_core.threads import limit_threads
import os, sys, torch
print(limit_threads(int(sys.argv[1])), torch.get_num_threads(), os.environ["RAYON_NUM_THREADS"])
"""


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no CPU affinity to restrict")
@pytest.mark.parametrize("requested", [1, 8])
def test_never_more_threads_than_the_process_may_use(requested):
    cpu = min(os.sched_getaffinity(0))

    def on_one_cpu():
        os.sched_setaffinity(0, {cpu})

    run = subprocess.run(
        [sys.executable, "-c", COUNT, str(requested)], capture_output=True, text=True, check=True, preexec_fn=on_one_cpu
    )
    assert run.stdout.split() == ["1", "1", "1"]


def test_usable_cpus_are_those_of_the_affinity_mask():
    assert 1 <= usable_cpus() <= (os.cpu_count() or 1)
