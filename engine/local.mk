# engine/: what this room builds and installs
