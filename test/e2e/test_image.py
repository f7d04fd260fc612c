"""The Dockerfile. The tests install the image that it makes of a binary that was built before; to compile in it
takes longer than all of them, so that is only done with `run --all`, and else what can go stale of that way is
held against what it was copied from."""

import re
import subprocess

import pytest

from lib import kubectl

DOCKERFILE = (kubectl.ROOT / "Dockerfile").read_text()
DEV = (kubectl.ROOT / "dev").read_text()
TOOLS = {"g++", "cmake", "ninja-build", "mold", "pkg-config"}


def words(text):
    return set(text.replace("\\", " ").split())


def test_it_compiles_with_the_packages_that_a_developer_has():
    installed = words(re.search(r"--no-install-recommends \\\n(.*?); }", DOCKERFILE, re.DOTALL)[1])
    listed = words(re.search(r"<<'LIST'\n(.*?)\nLIST", DEV, re.DOTALL)[1])
    assert installed - listed == set()
    assert installed == TOOLS | {package for package in listed if re.fullmatch(r"lib.*-dev|nlohmann.*-dev|prometheus.*-dev", package)} - {
        "libclang-rt-16-dev"}  # of the sanitizers


def test_its_stages_are_all_needed_in_both_ways():
    """Builders that do not skip stages would fail at one that is for the other way."""
    assert len(re.findall(r"^FROM ", DOCKERFILE, re.MULTILINE)) == 2
    assert re.findall(r"^COPY (.*)$", DOCKERFILE, re.MULTILINE) == [". /src", "--from=source /out/rabbit-operator /usr/local/bin/rabbit-operator"]


def run(*command, timeout=60):
    done = subprocess.run([str(word) for word in command], cwd=kubectl.ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=timeout, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


@pytest.fixture
def buildah(tmp_path):
    """buildah with a store of its own: of 5 GB in the end, which are not kept."""
    command = ("buildah", "--storage-driver", "vfs", "--root", tmp_path / "store", "--runroot", tmp_path / "run")
    yield command
    run(*command, "rm", "--all")
    run(*command, "rmi", "--all", "--force", timeout=300)
    run("rm", "-rf", "--one-file-system", tmp_path / "store", tmp_path / "run")


@pytest.mark.long
def test_what_it_compiles_runs(buildah):
    base = "localhost/debian:bookworm"
    archive = run(kubectl.ROOT / "test" / "e2e" / "kubernetes" / "cluster", "images", base, timeout=600).strip().split("\t")[1]
    run(*buildah, "pull", "--quiet", f"docker-archive:{archive}")
    run(*buildah, "bud", "--isolation", "chroot", "--build-arg", f"BASE={base}", "--build-arg", "SOURCE=compiled",
        "--build-arg", "VERSION=1.2.3", "--tag", "localhost/compiled", ".", timeout=3600)
    container = run(*buildah, "from", "localhost/compiled").strip()
    inside = (*buildah, "run", "--isolation", "chroot", container, "--", "rabbit-operator")
    assert "Usage: rabbit-operator" in run(*inside, "--help")
    assert run(*inside, "version") == "rabbit-operator 1.2.3\n"
