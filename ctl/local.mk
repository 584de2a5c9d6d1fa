# ctl/: what this room builds and installs
