/*
 * What mailconvoyctl doctor looks at, in parts.  Each prints a line for what is well and two for what is not.
 */
#ifndef MCV_CTL_DOCTOR_H
#define MCV_CTL_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>

#include "ctl/ctl.h"

/* One thing that is as it must be. */
void doctor_good(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* One that is not, and below it what mends it. */
void doctor_bad(const char *mend, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Whether an executable of this name is on PATH; its path goes to found. */
bool doctor_on_path(const char *name, char *found, size_t size);

/* The program that migrates mailboxes, and its version. */
void doctor_program(const struct ctl *ctl);

/*
 * Whether files that the configuration names are there.  As root, where there are users of web and worker:
 * whether they can open what they need, tried as each of them, and the web cannot read the private key.
 */
void doctor_files(const struct ctl *ctl);

/* The FastCGI socket, nginx, and whether the panel answers at base_url. */
void doctor_web(const struct ctl *ctl);

/* Whether sign-in links are made at sso_socket, where that is turned on. */
void doctor_sso(const struct ctl *ctl);

#endif
