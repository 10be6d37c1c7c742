"""What the terminal shows of a run: a line per finished step with its key figures, at the end results or failures.

All that Snakemake itself says is in its log below .snakemake/log.
"""

import logging
import time
from datetime import timedelta

from snakemake.logging import logger as snakemake_logger
from snakemake_interface_logger_plugins.common import LogEvent

REPLACED = {LogEvent.JOB_INFO, LogEvent.JOB_FINISHED, LogEvent.JOB_ERROR, LogEvent.GROUP_INFO, LogEvent.GROUP_ERROR}
REPLACED |= {LogEvent.PROGRESS}
NOISE = re.compile(
    r"Select jobs to execute|Execute \d+ jobs|Job \S+ has been submitted|Cleaning up SLURM log|Group job "
)


FOREIGN = re.compile(r"Warning|\x1b|LOAD REPORT")
"""What other libraries write into a step's log."""


class Terminal(logging.Handler):
    """Follows the steps by Snakemake's events and writes a line for each that ends."""

    def __init__(self):
        super().__init__(logging.INFO)
        self.steps = {}
        self.started = {}
        self.finished = []
        self.failed = {}

    def emit(self, record):
        event = getattr(record, "event", None)
        if workflow.dryrun:
            return
        if event == LogEvent.JOB_INFO:
            self.steps[record.jobid] = step = (step_name(record), *record.log[:1])
            self.started[record.jobid] = time.monotonic()
            if LOCAL:
                print(f"{step[0]}: {record.rule_msg}", file=sys.stderr)
        elif event == LogEvent.JOB_ERROR:
            self.fail(record.jobid, record.rule_msg, record.log)
        elif event == LogEvent.GROUP_ERROR:
            for job in record.job_error_info:
                self.fail(job["jobid"], job["rule_msg"], [*job["log"], *record.aux_logs])
        elif event == LogEvent.JOB_FINISHED:
            self.finished.append(record.job_id)
            self.failed.pop(record.job_id, None)
        elif event == LogEvent.PROGRESS:
            for number, job in enumerate(self.finished, record.done - len(self.finished) + 1):
                print(f"[{number}/{record.total}] {self.described(job)}", file=sys.stderr)
            self.finished = []

    def described(self, job):
        """A step's name, the time since it was started or handed to the cluster, and what its log says last."""
        name, *log = self.steps[job]
        taken = timedelta(seconds=round(time.monotonic() - self.started[job]))
        return f"{name}: {taken}{''.join(f'; {said}' for said in map(last_message, log) if said)}"

    def fail(self, job, why, logs):
        """Remember a failure, until the step ends well after all."""
        name = self.steps[job][0] if job in self.steps else f"job {job}"
        self.failed[job] = (name, logs)
        reason = f" ({' '.join(why.split())})" if why else ""
        print(f"{name} failed{reason}: {', '.join(logs)}", file=sys.stderr)

    def report_failures(self):
        """Say which log tells why, for every step that failed for good."""
        for name, logs in self.failed.values():
            print(f"{name.split()[0]} failed: open {' and '.join(logs)} to see why.", file=sys.stderr)


def step_name(record):
    """The rule, and what it is about."""
    about = Path(record.log[0]).stem if record.log else ""
    return f"{record.rule_name} {about}" if about not in ("", record.rule_name) else record.rule_name


def last_message(log):
    """The last line that a step has written into its log."""
    try:
        lines = Path(log).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    stamped = (re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d (.*)", line) for line in reversed(lines))
    return next((line[1] for line in stamped if line and not FOREIGN.search(line[1])), "")


def report_results():
    """Name the results that lie there, so that nobody must look for them."""
    for result in sorted(Path("results").glob("*_*.json")):
        if not result.name.endswith(".speed.json"):
            print(f"Result: {result}", file=sys.stderr)


def told_by_snakemake(record):
    """Whether Snakemake's own line is shown: all of them in a dry run."""
    replaced = getattr(record, "event", None) in REPLACED or NOISE.match(record.getMessage())
    return workflow.dryrun or not replaced


TERMINAL = Terminal()

if workflow.is_main_process:
    for handler in snakemake_logger.handlers:
        if handler.name == "DefaultStreamHandler":
            handler.addFilter(told_by_snakemake)
    snakemake_logger.addHandler(TERMINAL)
