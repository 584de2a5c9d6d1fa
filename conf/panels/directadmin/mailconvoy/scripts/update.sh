#!/bin/sh
# Run by DirectAdmin's plugin manager after an update.
exec "$(dirname -- "$0")/install.sh"
