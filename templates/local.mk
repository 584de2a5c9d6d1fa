# templates/: what this room builds and installs
