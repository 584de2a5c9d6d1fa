#!/bin/sh
# Run by DirectAdmin's plugin manager before it removes the directory.  Accounts in mailconvoy stay.
echo "Removed. Accounts, jobs and logs in mailconvoy are as they were."
exit 0
