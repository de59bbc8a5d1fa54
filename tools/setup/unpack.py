"""Unpacks the members of wheels that the native engine needs.

unpack.py DIRECTORY WHEEL... : tensorflow's two libraries and its C headers go to DIRECTORY/tensorflow,
whatever the nvidia wheels hold, less their headers, to DIRECTORY/nvidia.
"""
import os
import sys
import zipfile

LIBRARIES = ("tensorflow/libtensorflow_cc.so.2", "tensorflow/libtensorflow_framework.so.2")
HEADERS = tuple(
    f"tensorflow/include/{folder}/"
    for folder in ("tensorflow/c", "tensorflow/core/platform", "tsl/platform", "xla/tsl/c")
)


def is_needed(name):
    if name.startswith("nvidia/"):
        return "/include/" not in name
    return name in LIBRARIES or (name.startswith(HEADERS) and name.endswith(".h"))


def unpack(wheel, directory):
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            if is_needed(member.filename):
                path = archive.extract(member, directory)
                mode = member.external_attr >> 16
                if mode & 0o111 and not member.is_dir():
                    os.chmod(path, 0o755)


if __name__ == "__main__":
    for wheel in sys.argv[2:]:
        unpack(wheel, sys.argv[1])
