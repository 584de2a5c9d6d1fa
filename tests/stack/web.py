"""mailconvoy-web behind multiwatch and spawn-fcgi, and nginx in front of it, on 127.0.0.1."""

import http.client
import os
import shutil

from process import Process, wait_for

NGINX = """
daemon off;
pid {dir}/nginx.pid;
error_log {dir}/nginx-error.log;
{user}
worker_processes 1;
events {{ worker_connections 256; }}
http {{
  access_log {dir}/nginx-access.log;
  client_body_temp_path {dir}/nginx-body;
  fastcgi_temp_path {dir}/nginx-fastcgi;
  proxy_temp_path {dir}/nginx-proxy;
  uwsgi_temp_path {dir}/nginx-uwsgi;
  scgi_temp_path {dir}/nginx-scgi;
  include {dir}/mailconvoy-http.inc;
  server {{
    listen 127.0.0.1:{port};
    include {dir}/mailconvoy-server.inc;
    {limits}
  }}
}}
"""


def missing():
    for program in ("nginx", "spawn-fcgi", "multiwatch"):
        if shutil.which(program) is None:
            return "no %s on this machine" % program
    return None


class Web:
    def __init__(self, directory, source, build, conf, port, processes=4, user=None, limits=False):
        """limits: what one address may ask for is limited, as in an installation."""
        self.directory = directory
        self.port = port
        self.socket = os.path.join(directory, "web.sock")
        # nginx is root then and needs no group.
        drop = ["-u", user, "-g", user] if user else []
        self.words = ["spawn-fcgi", "-n", "-s", self.socket, "-M", "0660", *drop, "--",
                      # -r: else it gives up on a child that ends three times within ten seconds
                      shutil.which("multiwatch"), "-r", "1000", "-f", str(processes), "--",
                      os.path.join(build, "fcgi", "mailconvoy-web"), "-c", conf]
        self.nginx_conf = os.path.join(directory, "nginx.conf")
        self.source = source
        self.limits = limits
        self.fcgi = self.nginx = None

    def start(self):
        os.makedirs(self.directory, exist_ok=True)
        if os.path.exists(self.socket):
            os.unlink(self.socket)
        self.fcgi = Process("mailconvoy-web", self.words, os.path.join(self.directory, "web.log"))
        wait_for("the FastCGI socket", lambda: self.fcgi.check() or os.path.exists(self.socket))
        self.fill_in_site()
        with open(self.nginx_conf, "w", encoding="ascii") as out:
            out.write(NGINX.format(
                dir=self.directory, port=self.port,
                limits="include %s/mailconvoy-limits.inc;" % self.directory if self.limits else "",
                user="user root;" if os.geteuid() == 0 else ""))
        self.nginx = Process("nginx", [shutil.which("nginx"), "-c",
                                       self.nginx_conf, "-p", self.directory, "-e",
                                       os.path.join(self.directory, "nginx-error.log")],
                             os.path.join(self.directory, "nginx.log"))
        wait_for("the sign-in page answers", self.answers)
        return self

    def fill_in_site(self):
        """The site an installation gets, with this stack's paths."""
        # fastcgi_params is looked for beside nginx.conf.
        shutil.copyfile("/etc/nginx/fastcgi_params", os.path.join(self.directory, "fastcgi_params"))
        site = os.path.join(self.source, "conf", "nginx")
        shutil.copyfile(os.path.join(site, "mailconvoy-fastcgi.inc"),
                        os.path.join(self.directory, "mailconvoy-fastcgi.inc"))
        for name in ("mailconvoy-http.inc", "mailconvoy-server.inc", "mailconvoy-limits.inc"):
            with open(os.path.join(site, name + ".in"), encoding="ascii") as f:
                text = f.read()
            text = text.replace("@nginxdir@", self.directory).replace("@rundir@", self.directory)
            text = text.replace("@staticdir@", os.path.join(self.source, "templates", "static"))
            with open(os.path.join(self.directory, name), "w", encoding="ascii") as out:
                out.write(text)

    def answers(self):
        self.fcgi.check()
        self.nginx.check()
        try:
            c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            c.request("GET", "/login")
            status = c.getresponse().status
            c.close()
        except OSError:
            return False
        return status == 200

    def stop(self):
        for p in (self.nginx, self.fcgi):
            if p is not None:
                p.stop()
        if os.path.exists(self.socket):
            os.unlink(self.socket)
