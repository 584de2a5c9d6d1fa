"""Throw-away certificates: a private authority and servers good and bad, made with openssl(1)."""
import os
import subprocess

CONFIG = """
[ca]
default_ca = d
[d]
dir = {dir}
new_certs_dir = {dir}
database = {dir}/index
serial = {dir}/serial
default_md = sha256
policy = p
copy_extensions = copy
unique_subject = no
[p]
commonName = supplied
[req]
distinguished_name = n
[n]
"""


def run(*words):
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Certs:
    """dir holds NAME.pem and NAME.key for ca, good, wrong, named, expired, future, selfsigned, other-ca."""

    def __init__(self, directory):
        self.dir = directory
        open(os.path.join(directory, "index"), "w").close()
        with open(os.path.join(directory, "serial"), "w") as f:
            f.write("01\n")
        self.config = self.path("config")
        with open(self.config, "w") as f:
            f.write(CONFIG.format(dir=directory))
        self.self_signed("ca", "Test authority", ca=True)
        self.self_signed("other-ca", "Another authority", ca=True)
        self.self_signed("selfsigned", "localhost")
        now, later = "20200101000000Z", "20400101000000Z"
        self.signed("good", "localhost", "DNS:localhost,IP:127.0.0.1", now, later)
        self.signed("wrong", "other.example.org", "DNS:other.example.org", now, later)
        self.signed("named", "mail.example.invalid", "DNS:mail.example.invalid", now, later)
        self.signed("expired", "localhost", "DNS:localhost", now, "20210101000000Z")
        self.signed("future", "localhost", "DNS:localhost", "20390101000000Z", later)

    def path(self, name):
        return os.path.join(self.dir, name)

    def pem(self, name):
        return self.path(name + ".pem")

    def key(self, name):
        return self.path(name + ".key")

    def self_signed(self, name, subject, ca=False):
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-config", self.config, "-keyout", self.key(name), "-out", self.pem(name), "-days", "3000",
            "-subj", f"/CN={subject}", "-addext", f"basicConstraints=critical,CA:{'TRUE' if ca else 'FALSE'}",
            "-addext", f"subjectAltName=DNS:{'localhost' if not ca else 'ca.example.org'}")

    def signed(self, name, subject, alternative, start, end):
        request = self.path(name + ".csr")
        run("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-config", self.config, "-keyout", self.key(name), "-out", request, "-subj", f"/CN={subject}",
            "-addext", f"subjectAltName={alternative}")
        run("openssl", "ca", "-batch", "-config", self.config, "-cert", self.pem("ca"), "-keyfile", self.key("ca"),
            "-in", request, "-out", self.pem(name), "-startdate", start, "-enddate", end, "-notext")
