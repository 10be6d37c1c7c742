"""A Slurm of one node on loopback: munged, slurmctld and slurmd below one folder, with two partitions and a GPU.

Debian packages, as root: slurmctld slurmd slurm-client munge. The GPU is a device that is none: jobs get
CUDA_VISIBLE_DEVICES as from a real one, and compute on the CPU.
"""

import os
import re
import shutil
import socket
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "scancel")
ETC = Path("/etc/slurm")
MEMORY = 20000
PATIENCE = 180
"""Seconds that a daemon, a command or the end of all jobs may take on a busy machine."""

SLURM_CONF = """
ClusterName=local
SlurmctldHost={host}
SlurmctldAddr=127.0.0.1
SlurmUser=root
SlurmdUser=root
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge.socket
MailProg=/bin/true
MpiDefault=none
SwitchType=switch/none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
TaskProlog={folder}/task_prolog
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=2,sched_interval=2
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SlurmdParameters=config_overrides
GresTypes=gpu
ReturnToService=2
JobRequeue=0
KillWait=5
MinJobAge=3600
AccountingStorageType=accounting_storage/none
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory} Gres=gpu:1
PartitionName=cpu Nodes={host} Default=YES DefMemPerCPU=512
PartitionName=gpu Nodes={host}
"""

TASK_PROLOG = """#!/bin/sh
echo "$SLURM_JOB_ID $SLURM_JOB_PARTITION ${{CUDA_VISIBLE_DEVICES:-none}}" >> {folder}/tasks
"""


def why_not() -> str | None:
    """Why no cluster can be started here; None if one can."""
    if os.geteuid() != 0:
        return "slurmd needs root"
    if missing := [program for program in PROGRAMS if shutil.which(program, path=_path()) is None]:
        return f"not installed: {', '.join(missing)} (Debian: slurmctld slurmd slurm-client munge)"
    if any((ETC / name).exists() and not (ETC / name).is_symlink() for name in ("slurm.conf", "gres.conf")):
        return f"{ETC} belongs to another Slurm"
    return None


@dataclass(frozen=True)
class Cluster:
    """The running cluster.

    Attributes:
        folder: of its state, logs and configuration.
        node: name of its one node.
    """

    folder: Path
    node: str

    def jobs(self) -> list[dict[str, str]]:
        """What `scontrol show jobs` tells of every job, finished ones as well, in the order of submission."""
        lines = run("scontrol", "--oneliner", "--details", "show", "jobs").splitlines()
        found = [dict(re.findall(r"(?:^|\s)([\w:/]+)=(\S*)", line)) for line in lines if line.startswith("JobId=")]
        return sorted(found, key=lambda job: int(job["JobId"]))

    def jobs_of(self, *rules: str) -> list[dict[str, str]]:
        """Those that ran one of the rules; Snakemake writes it into a job's comment."""
        return [job for job in self.jobs() if re.match(rf"rule_({'|'.join(rules)})(_|$)", job.get("Comment", ""))]

    def visible_devices(self) -> dict[str, set[str]]:
        """Job id -> the values of CUDA_VISIBLE_DEVICES that its tasks saw."""
        seen: dict[str, set[str]] = {}
        for line in (self.folder / "tasks").read_text().splitlines():
            job, _, devices = line.split(maxsplit=2)
            seen.setdefault(job, set()).add(devices)
        return seen

    def set_node(self, state: str) -> None:
        """Drain the node, or resume a drained one."""
        run("scontrol", "update", f"nodename={self.node}", f"state={state}", "reason=test")

    def resume_node(self) -> None:
        """Resume the node if it is drained."""
        if "drain" in run("sinfo", "--noheader", "--format=%T"):
            self.set_node("resume")

    def cancel_all(self) -> None:
        """End whatever is queued or running, and wait for it."""
        run("scancel", "--user", "root")
        wait_until(lambda: not run("squeue", "--noheader").strip(), PATIENCE, "jobs would not end")


@contextmanager
def running_cluster(folder: Path, cpus: int) -> Iterator[Cluster]:
    """Start the cluster below `folder`, and stop it at the end of the block."""
    host = socket.gethostname().split(".")[0]
    _write_configuration(folder, host, cpus)
    daemons = []
    try:
        daemons.append(_started(folder, "munged", *_munge_options(folder)))
        wait_until((folder / "munge.socket").exists, PATIENCE, "munged did not start", folder)
        daemons.append(_started(folder, "slurmctld", "-D", "-c"))
        daemons.append(_started(folder, "slurmd", "-D", "-c"))
        wait_until(
            lambda: "idle" in run("sinfo", "--noheader", "--format=%T", check=False), PATIENCE, "no idle node", folder
        )
        cluster = Cluster(folder, host)
        yield cluster
        cluster.cancel_all()
    finally:
        for daemon in reversed(daemons):
            daemon.terminate()
            try:
                daemon.wait(timeout=20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        for name in ("slurm.conf", "gres.conf"):
            (ETC / name).unlink(missing_ok=True)


def run(*command: str, check: bool = True) -> str:
    """What a command of Slurm prints."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False, env=_environment())
    assert not check or done.returncode == 0, done.stderr
    return done.stdout


def wait_until(true, seconds: float, otherwise: str, logs: Path | None = None) -> None:
    """Ask until it is true; after so many seconds fail, with the ends of the daemons' logs."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            tails = [file.read_text(errors="replace")[-2000:] for file in logs.glob("*.log")] if logs else []
            raise AssertionError("\n".join([f"{otherwise} within {seconds} s", *tails]))
        time.sleep(0.2)


def _write_configuration(folder: Path, host: str, cpus: int) -> None:
    for name in ("state", "spool", "dev"):
        (folder / name).mkdir(parents=True)
    # Munge refuses folders that others may write to.
    folder.chmod(0o755)
    os.mknod(folder / "dev" / "gpu0", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    (folder / "munge.key").write_bytes(os.urandom(1024))
    (folder / "munge.key").chmod(0o600)
    (folder / "slurm.conf").write_text(SLURM_CONF.format(host=host, folder=folder, cpus=cpus, memory=MEMORY))
    (folder / "gres.conf").write_text(f"AutoDetect=off\nNodeName={host} Name=gpu File={folder}/dev/gpu0\n")
    (folder / "task_prolog").write_text(TASK_PROLOG.format(folder=folder))
    (folder / "task_prolog").chmod(0o755)
    ETC.mkdir(exist_ok=True)
    for name in ("slurm.conf", "gres.conf"):
        (ETC / name).unlink(missing_ok=True)
        (ETC / name).symlink_to(folder / name)


def _munge_options(folder: Path) -> list[str]:
    files = {"key-file": "munge.key", "socket": "munge.socket", "pid-file": "munged.pid", "seed-file": "munge.seed"}
    options = [f"--{option}={folder / name}" for option, name in files.items()]
    return ["--foreground", "--force", f"--log-file={folder / 'munged-own.log'}", *options]


def _started(folder: Path, program: str, *options: str) -> subprocess.Popen:
    with (folder / f"{program}.output.log").open("w") as output:
        return subprocess.Popen(
            [str(shutil.which(program, path=_path())), *options],
            stdout=output, stderr=subprocess.STDOUT, env=_environment(), start_new_session=True,
        )  # fmt: skip


def _path() -> str:
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


def _environment() -> dict[str, str]:
    return {**os.environ, "PATH": _path()}
