# imap/: what this room builds and installs
