#!/usr/bin/env python3
"""Prints the manifest of a folder of blobs: what deploy.sh uploads last, so that the folder is seen whole or not at all."""
import hashlib
import json
import os
import sys


def main():
    if len(sys.argv) != 2 or not os.path.isdir(sys.argv[1]):
        sys.exit("usage: manifest.py FOLDER")
    files = []
    for folder, _, names in os.walk(sys.argv[1]):
        for name in names:
            path = os.path.join(folder, name)
            digest = hashlib.sha256()
            with open(path, "rb") as content:
                for block in iter(lambda: content.read(1 << 20), b""):
                    digest.update(block)
            files.append({
                "name": os.path.relpath(path, sys.argv[1]).replace(os.sep, "/"),
                "bytes": os.path.getsize(path),
                "sha256": digest.hexdigest(),
            })
    files.sort(key=lambda file: file["name"])
    json.dump({"files": files, "total_bytes": sum(file["bytes"] for file in files)}, sys.stdout)


if __name__ == "__main__":
    main()
