/*
 * Being asked to end: TERM, QUIT, INT and HUP.  The first one sets a flag and shuts all connections down, so
 * that whatever waits for a server returns at once, and the run ends with its statistics.  While a connection
 * is being opened there is nothing to shut down: then the signal ends the process as if never caught.
 */
#ifndef MCV_ENGINE_STOP_H
#define MCV_ENGINE_STOP_H

#include <stdbool.h>

/* Catch the signals; SIGPIPE is ignored from here on. */
void stop_install(void);

/* The signal that asked, 0 for none yet. */
int stop_signal(void);

/* Waits so long, or until a signal asks. */
void stop_pause(unsigned seconds);

/* "TERM" for SIGTERM. */
const char *stop_signal_name(int signal);

/* The socket of a connection, numbered from 0, -1 when it has none. */
#define STOP_SOCKETS_MAX 16
void stop_watch(unsigned connection, int fd);

/* A connection is being opened, or no more: to be called in pairs, by whichever thread. */
void stop_opening(bool opening);

/* Die by SIGTERM, as waitpid(2) sees it; returns only if that is impossible. */
void stop_die(void);

#endif
