/*
 * Mailbox passwords for the command line: from a file, a descriptor, standard input or the terminal, never
 * from an argument or the environment.
 */
#ifndef MCV_CTL_PASSFILE_H
#define MCV_CTL_PASSFILE_H

#include "ctl/ctl.h"

enum { PASSFILE_MAX_BYTES = 4096 };

/*
 * The first line of a file, or the next line of standard input (path "-"); with path NULL it is asked for on
 * the terminal as that of whom ("ann@old").  *password_r: in the ctl's arena.  CTL_OK; else the reason has
 * been printed: CTL_USAGE (there is no terminal), CTL_NO_INPUT, CTL_REFUSED (empty, or too long).
 */
enum ctl_exit passfile_read(
    struct ctl *ctl, const char *path, const char *whom, const char **password_r) MUST_CHECK;

#endif
