# conf/: what this room builds and installs
