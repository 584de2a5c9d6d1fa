# sql/: what this room builds and installs
