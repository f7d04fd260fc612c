"""How long a developer waits: an incremental build after a change of one source, and the unit tests."""

import os
import pathlib
import subprocess
import time

from lib import OUT, ROOT

BUILD = ROOT / "build" / "release"
# Deep down in the tree (everything is linked anew), in its middle, and at its top.
SOURCES = ["lib/base/json.cc", "operator/plan/children.cc", "operator/reconciler.cc"]


def _run(*line):
    # ccache would answer from an earlier build of the same text.
    done = subprocess.run(list(map(str, line)), cwd=ROOT, capture_output=True, text=True, check=False, env=os.environ | {"CCACHE_RECACHE": "1"})
    (OUT / "build.log").write_text(done.stdout + done.stderr)
    if done.returncode:
        raise RuntimeError(f"{line}: see {OUT / 'build.log'}")


def measure(results):
    jobs = os.cpu_count()
    _run("ninja", "-C", BUILD, "-j", jobs)
    times = []
    for source in map(pathlib.Path, SOURCES):
        text = (ROOT / source).read_bytes()
        try:
            (ROOT / source).write_bytes(text + b"\nextern int changed_by_the_benchmark;\n")
            began = time.time()
            _run("ninja", "-C", BUILD, "-j", jobs)
            times.append((time.time() - began, str(source)))
        finally:
            (ROOT / source).write_bytes(text)
        results.note(f"  {times[-1][0]:.1f} s after a change of {source}")
    _run("ninja", "-C", BUILD, "-j", jobs)
    results.add("build: after a change of one source, slowest of three", max(times)[0], "s", 15)
    began = time.time()
    _run("ctest", "--test-dir", BUILD, "-j", jobs, "--output-on-failure")
    results.add("build: unit tests", time.time() - began, "s", 20)
