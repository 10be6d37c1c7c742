import subprocess
import sys

SCRIPT = """
import logging, sys, warnings
from bistil_core.errors import BistilError
from bistil_core.progress import reporting
with reporting(sys.argv[1]):
    logging.getLogger("bistil").info("step 1/2")
    logging.getLogger("another.library").warning("chatter")
    warnings.warn("old spelling")
    {last}
"""


def report(tmp_path, last):
    log = tmp_path / "logs" / "step.log"
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(last=last), str(log)], capture_output=True, text=True, check=False
    )
    return run, log.read_text()


def test_the_log_has_everything_and_the_terminal_what_concerns_the_step(tmp_path):
    run, log = report(tmp_path, "pass")
    assert run.returncode == 0
    assert run.stderr == "step 1/2\n"
    assert all(words in log for words in ("step 1/2", "chatter", "old spelling"))


def test_a_users_error_is_its_message_alone(tmp_path):
    run, log = report(tmp_path, "raise BistilError('corpora.sw: no text; give some')")
    assert run.returncode == 1
    assert run.stderr.splitlines()[-1] == "error: corpora.sw: no text; give some"
    assert "Traceback" not in run.stderr + log


def test_any_other_error_has_its_traceback_in_the_log(tmp_path):
    run, log = report(tmp_path, "1 / 0")
    assert run.returncode == 1
    assert run.stderr.splitlines()[-1] == "error: ZeroDivisionError: division by zero (the log has the traceback)"
    assert "Traceback" not in run.stderr
    assert "Traceback (most recent call last)" in log
