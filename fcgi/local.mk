# fcgi/: what this room builds and installs
