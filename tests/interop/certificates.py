# SPDX-License-Identifier: LGPL-2.1-or-later
"""Certificates of this run, made with the openssl program."""

import os
import pathlib
import shutil
import subprocess
import tempfile

# What this system trusts is no business of a test, and takes a sanitizer three
# seconds to read: the programs that the test starts find nobody there.
os.environ["SSL_CERT_FILE"] = os.environ["SSL_CERT_DIR"] = "/nonexistent"


def available():
    return shutil.which("openssl") is not None


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, stdin=subprocess.DEVNULL, capture_output=True)


class Identity:
    """The paths of a certificate and its key."""

    def __init__(self, folder, name):
        self.certificate = pathlib.Path(folder, f"{name}.pem")
        self.key = pathlib.Path(folder, f"{name}.key")


class Authority(Identity):
    """with Authority() as ca: ca.certificate, ca.issue(...)."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="gst-ice-ca-")
        super().__init__(self.folder.name, "ca")
        self.n_issued = 0

    def __enter__(self):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", 2,
                "-subj", "/CN=Authority of the test", "-keyout", self.key, "-out", self.certificate)
        return self

    def __exit__(self, *unused):
        self.folder.cleanup()

    def issue(self, names="DNS:localhost,IP:127.0.0.1,IP:::1", days=1):
        """days -1: expired yesterday."""
        self.n_issued += 1
        made = Identity(self.folder.name, f"server{self.n_issued}")
        request = pathlib.Path(self.folder.name, "request")
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-subj", "/CN=server", "-addext", f"subjectAltName={names}", "-keyout", made.key, "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-days", days,
                "-copy_extensions", "copy", "-out", made.certificate)
        return made

    def self_signed(self, names="DNS:localhost,IP:127.0.0.1"):
        self.n_issued += 1
        made = Identity(self.folder.name, f"server{self.n_issued}")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", 2,
                "-subj", "/CN=server", "-addext", f"subjectAltName={names}", "-keyout", made.key,
                "-out", made.certificate)
        return made
