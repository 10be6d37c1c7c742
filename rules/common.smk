"""The configuration, checked once, and what the rules say with it."""

import os
import re
import sys
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.persistence import ParamsChange
from snakemake.resources import Resource

# The code beside the rules is the code that counts, here and in the jobs, wherever bistil is installed besides.
sys.path.insert(0, workflow.basedir)
os.environ.update(PYTHONPATH=os.pathsep.join(filter(None, [workflow.basedir, os.environ.get("PYTHONPATH")])))

from bistil_core.errors import BistilError
from bistil_core.reasons import changes
from bistil_core.settings.canonical import canonical, seed_of
from bistil_core.settings.loading import load_configuration
from bistil_core.settings.local_files import missing_files
from bistil_core.staleness import code_digest
from bistil_core.threads import usable_cpus, usable_gpus

try:
    SETTINGS = load_configuration(config)
except BistilError as error:
    raise WorkflowError(str(error)) from None

if workflow.is_main_process and (missing := missing_files(SETTINGS)):
    raise WorkflowError("\n".join(missing))

SOURCE = SETTINGS.source_language

# Snakemake prints all parameters before and now; which of them differ is what a reader wants to know. It keeps their
# values alone, so that single numbers are params as {"seed": 1}.
ParamsChange.__str__ = lambda change: "; ".join(changes(change.only_old, change.only_new))


wildcard_constraints:
    base=r"[A-Za-z0-9._]+",
    benchmark=r"[a-z0-9]+",
    download=r"[^/]+",
    language=r"[A-Za-z0-9]+",
    source=r"[A-Za-z0-9]+",
    system=r"teacher|student-[A-Za-z0-9]+",
    target=r"[A-Za-z0-9]+",
    task=r"[a-z0-9]+",


# Snakemake does not know its executor yet, but only one of a cluster is told how many jobs it may submit.
LOCAL = workflow.resource_settings.nodes is None

if LOCAL:
    # `--cores 8` is typed on two cores, too: more jobs or threads than CPUs slow every one of them down.
    usable = min(workflow.cores, usable_cpus())
    workflow.global_resources["_cores"] = Resource("_cores", usable)


def training_threads():
    """Half of the cores: the teacher and phase 1 do not wait for each other, so they share the machine."""
    return max(1, workflow.cores // 2) if LOCAL else 4


def intermediate(output):
    """An output that only later steps read: kept or, as the configuration says, deleted once they have."""
    return output if SETTINGS.keep_intermediates else temp(output)


@cache
def code_of(rule, *chosen):
    """The digest of all code that decides what a step writes, its script and the core modules that it reaches.

    `chosen` are the modules in use of packages that hold alternatives: without it all of them count.
    """
    digest = code_digest(*chosen, f"{workflow.basedir}/workflow_scripts/{rule}.py")
    # No part in what a step writes has what it tells those who watch it, this digest, and what the configuration may
    # say: the values that it does say are among the params.
    unused = ("bistil_core.progress", "bistil_core.settings", "bistil_core.staleness")
    return {module: code for module, code in digest.items() if not module.startswith(unused)}
