"""The shell functions behind `./dev` and `cluster`, each alone, on a machine that is made up: programs before
the real ones on the PATH answer as apt, kubectl and others do elsewhere. No cluster is needed."""

import base64
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

import pytest

from lib import kubectl
from lib.wait import wait_until

E2E = kubectl.ROOT / "test" / "e2e"
CLUSTER = E2E / "kubernetes" / "cluster"
PARTS = ("common", "go", "build", "images", "processes", "control_plane", "node", "down", "packages")


@pytest.fixture
def shell(tmp_path):
    """Runs lines of bash after the functions of `cluster`; `programs` are names and scripts that replace them."""
    def run(text, programs=(), **variables):
        for name, script in dict(programs).items():
            program = tmp_path / "bin" / name
            program.parent.mkdir(exist_ok=True)
            program.write_text(f"#!/bin/bash\n{script}\n")
            program.chmod(0o755)
        sources = "\n".join(f"source {E2E}/kubernetes/lib/{part}.sh" for part in PARTS)
        return subprocess.run(["bash", "-euo", "pipefail", "-O", "inherit_errexit", "-c", f"{sources}\n{text}"], cwd=tmp_path,
                              env=os.environ | {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}"} | variables,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False)
    return run


@pytest.mark.parametrize("sources, mirror", [
    (["http://deb.debian.org/debian/", "http://second.example/debian/"], "http://deb.debian.org/debian/"),
    (["mirror+file:{}/mirrors/"], "https://first.example/debian"),  # as Debian's images for clouds have it
    (["mirror+file:{}/absent/"], ""),
    (["cdrom://Debian 12/", "file:/srv/debian/", "https://deb.debian.org/debian/"], "https://deb.debian.org/debian/"),
    ([], ""),
])
def test_images_come_from_where_apt_has_debian_from_by_http(shell, tmp_path, sources, mirror):
    (tmp_path / "mirrors").write_text("# the best first\nhttps://first.example/debian\tpriority:1\nhttps://other.example/debian\n")
    lines = "\n".join(sources).format(tmp_path)
    done = shell("debian_mirror", {"apt-get": f"cat <<'END'\n{lines}\nEND" if sources else "exit 100"}, DEBIAN_MIRROR="")
    assert (done.returncode, done.stdout) == (0, f"{mirror}\n")
    assert shell("debian_mirror", DEBIAN_MIRROR="http://named.example").stdout == "http://named.example\n"


@pytest.mark.parametrize("there, missing", [
    ((), ["containerd", "runc", "mmdebstrap"]),
    (("runc",), ["containerd", "mmdebstrap"]),
    (("containerd", "runc"), ["containerd", "mmdebstrap"]),
    (("containerd", "ctr", "runc"), ["mmdebstrap"]),  # Docker's containerd.io
])
def test_containerd_of_elsewhere_stays(shell, there, missing):
    programs = {"dpkg-query": "echo not-installed"} | dict.fromkeys(there, "")
    done = shell("PATH=$PWD/bin; missing_packages containerd runc mmdebstrap", programs)
    assert (done.returncode, done.stdout.split()) == (0, missing)


# As a package of a service does it, on systemd.
APT = r"""
[[ $* != *--simulate* ]] || { echo "Remv docker-thing [1]"; exit; }
echo "$*" >>calls
[[ $* != *install* ]] || { [[ ! -x policy ]] || ./policy containerd start; [[ $? == 101 ]] || touch started; }
[[ ! -e refuse ]] || { echo "E: Packages need to be removed but remove is disabled."; exit 100; }
"""


def test_an_installation_starts_no_service_and_removes_no_package(shell, tmp_path):
    done = shell("service_policy=$PWD/policy; install_packages haproxy", {"apt-get": APT})
    assert done.returncode == 0 and not (tmp_path / "policy").exists()
    assert not (tmp_path / "started").exists()
    (call,) = (tmp_path / "calls").read_text().splitlines()
    assert "--no-remove" in call and "DPkg::Lock::Timeout=600" in call and call.endswith(" haproxy")


def test_an_installation_that_fails_says_why_and_takes_its_policy_back(shell, tmp_path):
    (tmp_path / "refuse").touch()
    done = shell("service_policy=$PWD/policy; install_packages haproxy", {"apt-get": APT})
    assert done.returncode == 1 and "remove is disabled" in done.stderr
    assert done.stderr.splitlines()[-1].endswith("apt cannot install haproxy; it would have to remove docker-thing")
    assert not (tmp_path / "policy").exists()


@pytest.mark.parametrize("refusals, patience, code, calls", [(0, 600, 0, 1), (2, 600, 0, 3), (9, 10, 1, 3)])
def test_the_lists_of_packages_wait_for_another_apt(shell, tmp_path, refusals, patience, code, calls):
    apt = f"""echo "$*" >>calls
        (($(wc -l <calls) > {refusals})) || {{ echo "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 1 (apt-get)" >&2; exit 100; }}"""
    done = shell(f"apt_patience={patience}; sleep() {{ :; }}; apt_update", {"apt-get": apt})
    assert (done.returncode, len((tmp_path / "calls").read_text().splitlines())) == (code, calls)
    assert done.stderr.count("waiting for another apt") == (1 if refusals else 0) and ("held by process 1" in done.stderr) == (code != 0)


def test_a_mirror_that_fails_is_told_at_once(shell, tmp_path):
    done = shell("sleep() { touch slept; }; apt_update", {"apt-get": "echo 'E: Failed to fetch http://mirror.example' >&2; exit 100"})
    assert done.returncode == 1 and "mirror.example" in done.stderr and not (tmp_path / "slept").exists()


def test_the_programs_of_root_are_found_without_its_path(shell):
    path = shell("echo $PATH", PATH="/usr/local/bin:/usr/bin:/bin").stdout.strip()
    assert path == "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
    assert shell("echo $PATH", PATH=path).stdout.strip() == path


def test_the_service_policy_of_a_machine_stays(shell, tmp_path):
    policy = tmp_path / "policy"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    before = policy.read_text()
    assert shell("service_policy=$PWD/policy; install_packages haproxy", {"apt-get": APT}).returncode == 0
    assert policy.read_text() == before and not (tmp_path / "started").exists()


def test_the_cache_is_cleared_of_what_is_ours_and_old_and_idle(shell, tmp_path):
    cache = tmp_path / "cache"
    digest = "0123456789abcdef"
    going = {f"kubernetes-{digest}", f"coredns-{digest}", f"image-haproxy-3.0-{digest}.tar", f"containerd-{digest}.new", f"python-{digest}.lock"}
    others = {"pip", "tidy", "python-3.11", "image", f"thumbnails-{digest}", f"x-image-{digest}.png"}
    runs, new = f"kubernetes-{digest[::-1]}", f"pause-{digest}"
    for name in going | others | {runs}:
        (cache / name).mkdir(parents=True)
    (cache / new).touch()
    program = shutil.copy(shutil.which("sleep"), cache / runs / "etcd")
    for path in cache.iterdir():
        if path.name != new:
            os.utime(path, (time.time() - 40 * 86400,) * 2)
    with subprocess.Popen([program, "60"]) as process:
        try:
            done = shell(f"cached cache/pause-{'0' * 16} something touch")
        finally:
            process.kill()
    assert done.returncode == 0, done.stderr
    assert {path.name for path in cache.iterdir()} == others | {runs, new, f"pause-{'0' * 16}"}


@pytest.fixture
def toy_cache(shell, tmp_path):
    """A cache whose programs end at once: what a test makes run by mistake does nothing."""
    done = shell(r"""here=$E2E/kubernetes cache=$PWD/cache
        name_programs
        mkdir -p "$components"
        for each in "${parts[@]}"; do printf '#!/bin/sh\nexit 1\n' >"$components/$each"; chmod +x "$components/$each"; done
        touch "$coredns" "$pause_program" """, E2E=str(E2E))
    assert done.returncode == 0, done.stderr
    return {"RABBIT_OPERATOR_CACHE": str(tmp_path / "cache")}


@pytest.mark.parametrize("command", [("down",), ("up", "--no-node")])
@pytest.mark.parametrize("inside", ["notes", ".git/config", "bin/kubernetes-1", "run-directory/notes"])
def test_a_directory_of_somebody_else_is_never_emptied(toy_cache, command, inside, tmp_path):
    kept = tmp_path / "other" / inside
    kept.parent.mkdir(parents=True)
    kept.write_text("all my work")
    (tmp_path / "other" / "logs").mkdir()
    done = subprocess.run([CLUSTER, *command, "other"], cwd=tmp_path, env=os.environ | toy_cache, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1 and "did not make" in done.stderr and len(done.stderr.splitlines()) == 1
    assert kept.read_text() == "all my work"
    assert [each for each in (tmp_path / "other").rglob("*") if each.is_file()] == [kept]


@pytest.mark.parametrize("made", ["true", "mkdir x", "mkdir -p x/logs", "mkdir x; touch x/run-directory x/etcd",
                                  "mkdir -p x/etcd; ln -s /absent/kubernetes-0123456789abcdef x/bin",  # before there was the file
                                  "mkdir -p x/etcd; owns_node() { [[ $run == $PWD/x ]]; }; remove_strays() { :; }; remove_network() { :; }"])
def test_a_run_directory_is_emptied_in_whatever_state_it_is(shell, tmp_path, made):
    done = shell(f"""{made}
        run=$PWD/x; check_run_directory; mkdir -p x/logs; touch x/logs/etcd.log
        remove_everything; check_run_directory""")
    assert done.returncode == 0, done.stderr
    assert [str(each.relative_to(tmp_path)) for each in (tmp_path / "x").rglob("*")] == ["x/logs", "x/logs/etcd.log"]


def test_what_an_up_that_failed_left_is_cleared_away(shell, toy_cache, tmp_path):
    for _ in range(2):  # the second over what the first left
        done = shell(f"{CLUSTER} up --no-node --etcd-port {free_ports()} run", **toy_cache)
        assert done.returncode == 1 and "has ended" in done.stderr, done.stderr
        assert {"run-directory", "bin", "pki", "logs"} <= {each.name for each in (tmp_path / "run").iterdir()}
    done = shell(f"{CLUSTER} down run", **toy_cache)
    assert done.returncode == 0, done.stderr
    assert [each.name for each in (tmp_path / "run").iterdir()] == ["logs"]


def free_ports():
    """The first of two."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        return one.getsockname()[1] + 1


@pytest.mark.parametrize("which", [0, 1])  # for clients, for its like
def test_no_api_server_is_started_on_the_etcd_of_another_cluster(shell, toy_cache, tmp_path, which):
    with socket.create_server(("127.0.0.1", 0)) as another:
        another_port = another.getsockname()[1]
        done = shell(f"{CLUSTER} up --no-node --etcd-port {another_port - which} run", **toy_cache)
    assert done.returncode == 1 and f"port {another_port}" in done.stderr, done.stderr
    assert not (tmp_path / "run" / "logs" / "kube-apiserver.log").exists()


RULES = """*nat
:PREROUTING ACCEPT [0:0]
:DOCKER - [0:0]
:KUBE-SERVICES - [0:0]
:KUBE-SEP-X - [0:0]
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A PREROUTING -j DOCKER
-A PREROUTING -j NOT-KUBE-SERVICES
-A KUBE-SERVICES -d 10.96.0.1/32 -j KUBE-SEP-X
-A KUBE-SEP-X -s 10.244.0.2/32 -j DOCKER
COMMIT
*filter
:FORWARD DROP [0:0]
:KUBE-FORWARD - [0:0]
-A FORWARD -s 10.244.0.0/16 -m comment --comment rabbit-e2e -j ACCEPT
-A FORWARD -m comment --comment rabbit-e2e-of-others -j ACCEPT
-A FORWARD -m comment --comment "of KUBE-FORWARD" -j ACCEPT
-A FORWARD -j KUBE-FORWARD
COMMIT
*mangle
:INPUT ACCEPT [0:0]
-A INPUT -j MARK
COMMIT
"""
# For iptables-restore --noflush: a chain that is named is emptied, and what is not named stays.
REMOVED = """*nat
:KUBE-SERVICES - [0:0]
:KUBE-SEP-X - [0:0]
-D PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-X KUBE-SERVICES
-X KUBE-SEP-X
COMMIT
*filter
:KUBE-FORWARD - [0:0]
-D FORWARD -s 10.244.0.0/16 -m comment --comment rabbit-e2e -j ACCEPT
-D FORWARD -j KUBE-FORWARD
-X KUBE-FORWARD
COMMIT
*mangle
COMMIT
"""


@pytest.mark.parametrize("rules, removed", [(RULES, REMOVED), ("", ""), ("*raw\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n", "*raw\nCOMMIT\n")])
def test_of_the_rules_of_a_machine_only_ours_are_removed(shell, rules, removed):
    done = shell(f"rules_to_remove <<'END'\n{rules}END")
    assert (done.returncode, done.stdout) == (0, removed)


# What the kernel does with a cgroup's controllers: all or none, and none is taken that a child passes on.
CGROUPS = r"""
run=$PWD/run cgroup_root=$PWD/cgroup
mkdir -p run cgroup/others
set_controllers() { # CGROUP +CONTROLLER|-CONTROLLER...
  local each now file=$1/cgroup.subtree_control
  [[ ! -e refuse ]] || return 1
  now=" $(cat "$file" 2>/dev/null || true) "
  for each in $2; do
    if [[ $each == -* ]]; then
      ! grep -qsw -e "${each#-}" "$1"/*/cgroup.subtree_control || return 1
      now=${now/ ${each#-} / }
    else
      now="${now/ ${each#+} / }${each#+} "
    fi
  done
  xargs -n 1 <<<"$now" | sort | xargs >"$file"
}
find() { # a cgroup's files go with it
  [[ $* != *"-exec rmdir"* ]] || rm -f "$1/cgroup.subtree_control"
  command find "$@"
}
printf "cpuset cpu io memory hugetlb pids rdma misc\n" >cgroup/cgroup.controllers
printf "memory pids\n" >cgroup/cgroup.subtree_control
"""


def test_kubelet_gets_its_controllers_and_the_machine_has_its_own_again(shell, tmp_path):
    done = shell(CGROUPS + """
        can_pass_on_controllers; make_cgroup
        ours=$(cgroup_directories)
        cat "$cgroup_root/cgroup.subtree_control" "$ours/cgroup.subtree_control"
        set_controllers "$cgroup_root" "+rdma"        # as runc does
        set_controllers "$cgroup_root/others" "+cpu"  # which somebody has come to use
        end_pods
        cat "$cgroup_root/cgroup.subtree_control"; [[ ! -e $ours ]]
        set_controllers "$cgroup_root" "+io"; end_pods  # a restart has made everything anew
        cat "$cgroup_root/cgroup.subtree_control"
        """)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == 2 * ["cpu cpuset hugetlb memory pids"] + ["cpu memory pids", "cpu io memory pids"]
    assert done.stderr == ""


@pytest.mark.parametrize("there, missing", [
    ("cpu cpuset memory pids hugetlb", ""),
    ("cpu memory pids", "cpuset hugetlb"),
    ("", "cpuset cpu memory hugetlb pids"),
])
def test_what_kubelet_needs_is_what_the_machine_has(shell, there, missing):
    done = shell(f"{CGROUPS} echo '{there}' >cgroup/cgroup.subtree_control; controllers_not_passed_on | xargs")
    assert (done.stdout, done.stderr) == (f"{missing}\n", "")
    done = shell(CGROUPS + "echo 'cpu misc' >cgroup/cgroup.controllers; kubelet_controllers | xargs")  # a kernel without the others
    assert (done.stdout, done.stderr) == ("cpu\n", "")


@pytest.mark.parametrize("machine, can", [
    ("true", True),
    ("touch cgroup/cgroup.procs cgroup/cgroup.type", True),  # a container that has moved its processes down
    ("echo 1 >cgroup/cgroup.procs; touch cgroup/cgroup.type", False),
    ("echo 1 >cgroup/cgroup.procs", True),  # the real root
    ("echo 1 >cgroup/cgroup.procs; touch cgroup/cgroup.type; cp cgroup/cgroup.{controllers,subtree_control}", True),  # nothing to do
])
def test_a_container_that_cannot_have_a_node_is_told(shell, machine, can):
    done = shell(f"{CGROUPS} {machine}; can_pass_on_controllers && echo yes || echo no")
    assert (done.stdout, done.stderr) == ("yes\n" if can else "no\n", "")


def test_controllers_that_are_refused_are_one_line(shell):
    done = shell(f"{CGROUPS} touch refuse; make_cgroup")
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
    assert "cpuset cpu memory hugetlb pids" in done.stderr


@pytest.mark.parametrize("loaded, removed", [
    ("lsb_release cri-containerd.apparmor.d", "cri-containerd.apparmor.d"),
    ("lsb_release cri-containerd.apparmor.d.other", ""),
    ("", ""),
])
def test_the_profile_of_containers_is_taken_back(shell, tmp_path, loaded, removed):
    (tmp_path / "profiles").write_text("".join(f"{each} (enforce)\n" for each in loaded.split()))
    done = shell("touch .remove; apparmor=$PWD; remove_apparmor_profile; cat .remove")
    assert (done.returncode, done.stdout, done.stderr) == (0, removed, "")
    assert shell("apparmor=$PWD/absent; remove_apparmor_profile").returncode == 0


FILTER = "*filter\\n:INPUT ACCEPT [0:0]\\n{}-A INPUT -j ACCEPT\\nCOMMIT\\n"


@pytest.mark.parametrize("chain, version, of_another", [
    ("", "iptables", False),
    (":NOT-KUBE-SERVICES - [0:0]\\n", "iptables", False),
    (":KUBE-SERVICES - [0:0]\\n", "iptables", True),
    (":KUBE-KUBELET-CANARY - [0:0]\\n", "ip6tables", True),
])
def test_a_node_of_another_kubernetes_is_told(shell, chain, version, of_another):
    rules = {f"{each}-save": f"printf '{FILTER.format(chain if each == version else '')}'" for each in ("iptables", "ip6tables")}
    said = shell("link=none; is_node_of_another && echo another || echo none", rules)
    assert (said.stdout, said.stderr) == ("another\n" if of_another else "none\n", "")
    # With our interface there, the chains are ours.
    assert shell("link=lo; is_node_of_another && echo another || echo none", rules).stdout == "none\n"


@pytest.mark.parametrize("before, after", [
    ({}, "{}"),
    ({"no_proxy": "a.example"}, "a.example,{}"),
    ({"NO_PROXY": "b.example"}, "b.example,{}"),
    ({"no_proxy": "a.example", "NO_PROXY": "b.example"}, "a.example,b.example,{}"),
])
def test_no_proxy_stands_before_the_cluster(shell, before, after):
    again = f"bash -euc 'source {E2E}/kubernetes/lib/common.sh; printenv no_proxy NO_PROXY'"
    done = shell(again, **({"no_proxy": "", "NO_PROXY": ""} | before))
    assert done.stdout.splitlines() == 2 * [after.format("127.0.0.1,10.200.0.1,10.244.0.0/16,10.96.0.0/16")], done.stderr


def test_a_changed_preset_reaches_a_build_that_is_there(tmp_path):
    def build(value):
        preset = {"name": "release", "generator": "Ninja", "binaryDir": "${sourceDir}/build/${presetName}", "cacheVariables": {"SAID": value}}
        (tmp_path / "CMakePresets.json").write_text(json.dumps({"version": 6, "configurePresets": [preset]}))
        os.utime(tmp_path / "CMakePresets.json", (0, 0))  # older than what was built, as after a checkout it may be
        done = subprocess.run([tmp_path / "dev", "build"], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        made = tmp_path / "build" / "release" / "build.ninja"
        return (tmp_path / "said").read_text(), made.stat().st_mtime_ns

    shutil.copy(kubectl.ROOT / "dev", tmp_path)
    (tmp_path / "test").symlink_to(kubectl.ROOT / "test")
    (tmp_path / "CMakeLists.txt").write_text("cmake_minimum_required(VERSION 3.25)\nproject(toy LANGUAGES NONE)\n"
                                             'file(WRITE ${CMAKE_SOURCE_DIR}/said "${SAID}")\n')
    first = build("one")
    assert first[0] == "one" and build("one") == first  # nothing to do
    assert build("two")[0] == "two"


# The operator of this one looks at generation 2 only after it was asked once.
KUBECTL = r"""
ready='.status.conditions[?(@.type=="Ready")]'
[[ $* != *" get secret rabbit-root "*"{.data.password}" ]] || cat secret 2>/dev/null
[[ $* == *" get rabbit rabbitcluster "*"{$ready.status}"* ]] || exit 0
echo asked >>asked
told=${!#}
told=${told/"{.metadata.generation}"/2}
told=${told/"{$ready.observedGeneration}"/$(($(wc -l <asked) < 2 ? 1 : 2))}
printf %s "${told/"{$ready.status}"/True}" | sed 's/^jsonpath=//'
"""


UP = f"{E2E}/up --kubeconfig config --image registry.example/operator:1 --write applied.yaml"


def test_up_waits_for_what_it_applied(shell, tmp_path):
    (tmp_path / "config").touch()
    done = shell(UP, {"kubectl": KUBECTL})
    assert done.returncode == 0 and "The cluster is ready" in done.stdout, done.stderr
    assert (tmp_path / "asked").read_text().count("asked") == 2
    assert re.search("^  password: '[0-9a-f]{32}'$", (tmp_path / "applied.yaml").read_text(), re.MULTILINE)


@pytest.mark.parametrize("password", ["simple", "it's", '"#: \\', "of two\nlines\n"])
def test_up_leaves_a_secret_that_is_there_as_it_is(shell, tmp_path, password):
    (tmp_path / "config").touch()
    (tmp_path / "asked").write_text("asked\n")  # nothing to wait for
    (tmp_path / "secret").write_text(base64.b64encode(password.encode()).decode())
    done = shell(UP, {"kubectl": KUBECTL})
    assert done.returncode == 0, done.stderr
    example = (kubectl.ROOT / "manifests/examples/rabbitcluster.yaml").read_text()
    assert (tmp_path / "applied.yaml").read_text() == example[example.index("---\n"):]
    # A Secret of another name is not that one.
    (tmp_path / "other.yaml").write_text(example.replace("rabbit-root", "other"))
    done = shell(f"{UP} --example other.yaml", {"kubectl": KUBECTL})
    assert done.returncode == 1 and "published password" in done.stderr


@pytest.fixture
def toy_checkout(tmp_path):
    """A checkout with the scripts here, and with `cluster` and others in their place that only note what they are asked."""
    place = tmp_path / "toy" / "test" / "e2e"
    (place / "kubernetes").mkdir(parents=True)
    for script in ("run", "install-operator", "other_cluster.sh"):
        shutil.copy(E2E / script, place)
    (place / "kubernetes" / "lib").symlink_to(E2E / "kubernetes" / "lib")

    def stand_in(path, script):
        path = tmp_path / "toy" / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/bash\n{script}\n")
        path.chmod(0o755)
    stand_in("test/e2e/kubernetes/cluster", "exit 0")
    return tmp_path / "toy", stand_in


TOY_DOCKERFILE = """
ARG BASE
FROM ${BASE} AS source
ARG SOURCE
COPY . /src
FROM ${BASE}
LABEL a=b
COPY Dockerfile /libraries
COPY --from=source /src/build/release/bin/rabbit-operator /
"""


def test_images_of_older_binaries_do_not_pile_up(toy_checkout, tmp_path):
    place, stand_in = toy_checkout
    (place / "Dockerfile").write_text(TOY_DOCKERFILE)
    shutil.copy(kubectl.ROOT / ".dockerignore", place)
    subprocess.run([sys.executable, E2E / "kubernetes" / "images" / "make_image.py", "--name", "localhost/debian:bookworm", "--config", "{}",
                    "--file", f"{place}/Dockerfile=/base", tmp_path / "base.tar"], check=True, stdin=subprocess.DEVNULL)
    stand_in("test/e2e/kubernetes/cluster", f"echo $* >>{tmp_path}/asked; [[ $1 != images ]] || printf 'localhost/debian:bookworm\\t{tmp_path}/base.tar\\n'")
    store = place / "build" / "e2e" / "containers"
    layers = []
    for binary in ("one", "two"):
        stand_in("build/release/bin/rabbit-operator", binary)
        done = subprocess.run([place / "test/e2e/install-operator"], capture_output=True, text=True, timeout=120, check=False, stdin=subprocess.DEVNULL)
        assert done.returncode == 0 and "cannot clear" not in done.stderr, done.stderr
        layers.append(len(list((store / "vfs" / "dir").iterdir())))
    assert layers == [3, 3]  # the base, the libraries, the binary
    (archive,) = (place / "build" / "e2e").glob("operator.tar.*")
    assert (tmp_path / "asked").read_text().splitlines().count(f"load {archive}") == 1


TOY_CLUSTER = """
echo "cluster $*" >>"$CALLS"
case $1 in
  status) [[ ! -e runs ]] || echo etcd ;;
  up) [[ ! -e up-fails ]] || exit 1 ;;
esac
"""
TOY_PYTHON = """
case $2 in
  venv) mkdir -p "$3/bin"; cp "$0" "$3/bin/python" ;;
  pytest) echo "pytest ${*:3}" >>"$CALLS"; exit "$PYTEST" ;;
esac
"""


@pytest.mark.parametrize("before, arguments, pytest_code, code, expected", [
    ((), (), 0, 0, ["cluster up", "install", "pytest ", "cluster down"]),
    ((), ("-k", "x y"), 1, 1, ["cluster up", "install", "pytest -k x y", "cluster down"]),
    (("up-fails",), (), 0, 1, ["cluster up", "cluster down"]),
    (("install-fails",), (), 0, 1, ["cluster up", "install", "cluster down"]),
    (("runs",), (), 1, 1, ["cluster up", "install", "pytest "]),
    ((), ("--keep", "-x"), 1, 1, ["cluster up", "install", "pytest -x"]),
    ((), ("--all", "--keep", "-x"), 1, 1, ["cluster up", "install", "pytest -m  -x"]),
])
def test_a_run_stops_what_it_started_and_nothing_else(toy_checkout, tmp_path, before, arguments, pytest_code, code, expected):
    place, stand_in = toy_checkout
    shutil.copy(E2E / "requirements.txt", place / "test" / "e2e")
    stand_in("test/e2e/kubernetes/cluster", TOY_CLUSTER)
    stand_in("test/e2e/install-operator", "echo install >>calls; [[ ! -e install-fails ]]")
    stand_in("python", TOY_PYTHON)
    for name in before:
        (tmp_path / name).touch()
    done = subprocess.run([place / "test/e2e/run", *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False,
                          env=os.environ | {"RABBIT_OPERATOR_CACHE": str(tmp_path / "cache"), "PYTHON": str(place / "python"),
                                            "CALLS": str(tmp_path / "calls"), "PYTEST": str(pytest_code)})
    calls = (tmp_path / "calls").read_text().splitlines()
    assert done.returncode == code, done.stderr
    assert [call for call in calls if not re.match("cluster (check|status|kubectl)", call)] == expected


@pytest.mark.parametrize("arguments, there", [((), False), (("-m", ""), True)])
def test_what_takes_long_is_only_run_when_asked_for(arguments, there):
    done = subprocess.run([sys.executable, "-m", "pytest", "--noconftest", "--collect-only", "--quiet", *arguments, "test_image.py"], cwd=E2E,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False,
                          env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"})
    assert done.returncode == 0 and "test_its_stages_are_all_needed_in_both_ways" in done.stdout, done.stdout + done.stderr
    assert ("test_what_it_compiles_runs" in done.stdout) == there


TOY_MEASURE = """
import pathlib, time

def measure(results):
    pathlib.Path("began").touch()
    try:
        time.sleep(60)
    finally:
        pathlib.Path("stopped").touch()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_benchmark_that_is_ended_stops_what_it_started(tmp_path, number):
    bench = tmp_path / "test" / "bench"
    shutil.copytree(kubectl.ROOT / "test" / "bench" / "lib", bench / "lib")
    shutil.copy(kubectl.ROOT / "test" / "bench" / "run", bench)
    (bench / "empty.py").write_text(TOY_MEASURE)
    with subprocess.Popen([bench / "run", "empty"], cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until("the measure runs", (tmp_path / "began").exists, timeout=20, interval=0.05)
            process.send_signal(number)
            assert process.wait(20) == 128 + number
        finally:
            process.kill()
    assert (tmp_path / "stopped").exists()
