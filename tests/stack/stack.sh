#!/bin/sh
# stack.sh start|stop --dir DIR ...: see stack.py
exec python3 "$(dirname "$0")/stack.py" "$@"
