"""How long a developer waits: an incremental build after a change of one source, and the unit tests."""

import os
import pathlib
import subprocess
import time

from lib import OUT, ROOT

BUILD = ROOT / "build" / "release"
# Deep down in the tree (everything is linked anew), in its middle, and at its top.
SOURCES = ["lib/base/json.cc", "operator/plan/children.cc", "operator/reconciler.cc"]
LONGEST = 3  # so many more, of those that compiled longest so far


def _longest():
    """The sources outside lib/http whose compilation took longest of all that this build's log knows; it is of builds
    under any load, and so says which to measure and not how long they take."""
    took = {}
    for line in (BUILD / ".ninja_log").read_text(encoding="utf-8").splitlines()[1:]:
        began, ended, _, output = line.split("\t")[:4]
        folder, found, source = output.partition("/CMakeFiles/")
        source = f"{folder}/{source.partition('/')[2].removesuffix('.o')}"
        if found and output.endswith(".cc.o") and folder != "lib/http" and (ROOT / source).is_file():
            took[source] = max(took.get(source, 0), int(ended) - int(began))
    return sorted(took, key=took.get, reverse=True)[:LONGEST]


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
    for source in map(pathlib.Path, dict.fromkeys([*SOURCES, *_longest()])):
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
    results.add("build: after a change of one source, the slowest", max(times)[0], "s", 15)
    began = time.time()
    _run("ctest", "--test-dir", BUILD, "-j", jobs, "--output-on-failure")
    results.add("build: unit tests", time.time() - began, "s", 20)
