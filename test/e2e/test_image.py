"""The Dockerfile. The tests install the image that it makes of a binary that was built before; to compile in it
takes longer than all of them, so of that way what can go stale is held against what it was copied from."""

import re

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
