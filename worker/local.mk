# worker/: what this room builds and installs
