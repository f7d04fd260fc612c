#!/usr/bin/env python3
"""Makes a container image (a docker-archive, as `docker save` writes) without a container tool.

The layers are a root file system (a tar file) or single files, in the order given. Equal input
gives an equal image: no time of day goes into it.
"""

import argparse
import hashlib
import io
import json
import pathlib
import platform
import tarfile
import tempfile

ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


def layer_of_files(pairs):
    """A layer with the files of `pairs`, each SOURCE=PATH_IN_IMAGE, owned by root, executable as in SOURCE."""
    layer = tempfile.NamedTemporaryFile(suffix=".tar")
    with tarfile.open(layer.name, "w") as tar:
        for pair in pairs:
            source, _, path = pair.partition("=")
            data = pathlib.Path(source).read_bytes()
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.size = len(data)
            entry.mode = 0o755 if pathlib.Path(source).stat().st_mode & 0o100 else 0o644
            tar.addfile(entry, io.BytesIO(data))
    return layer


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else hashlib.sha256(file.read()).hexdigest()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", required=True, help="repository and tag")
    parser.add_argument("--config", default="{}", help="JSON: User, Env, Cmd, …, as in an OCI image's config")
    parser.add_argument("--rootfs", help="a tar file to take as a layer")
    parser.add_argument("--file", action="append", default=[], metavar="SOURCE=PATH", help="a file to add")
    parser.add_argument("out")
    arguments = parser.parse_args()

    layers = [arguments.rootfs] if arguments.rootfs else []
    if arguments.file:
        added = layer_of_files(arguments.file)
        layers.append(added.name)
    digests = [sha256(layer) for layer in layers]
    config = json.dumps({
        "architecture": ARCHITECTURE,
        "os": "linux",
        "config": json.loads(arguments.config),
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + digest for digest in digests]},
        "history": [{"created_by": "make_image.py"} for _ in layers],
    }).encode()
    config_name = hashlib.sha256(config).hexdigest() + ".json"
    manifest = json.dumps([{
        "Config": config_name,
        "RepoTags": [arguments.name],
        "Layers": [digest + ".tar" for digest in digests],
    }]).encode()
    with tarfile.open(arguments.out, "w") as tar:
        for name, data in ((config_name, config), ("manifest.json", manifest)):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
        for layer, digest in zip(layers, digests):
            tar.add(layer, digest + ".tar", filter=lambda entry: setattr(entry, "mtime", 0) or entry)


if __name__ == "__main__":
    main()
