/*
 * Telling systemd how we are (sd_notify(3)'s protocol: a datagram to the socket that NOTIFY_SOCKET names).
 * Without that variable nothing happens.
 */
#ifndef MCV_WORKER_READY_H
#define MCV_WORKER_READY_H

/* state: "READY=1", "STOPPING=1", "WATCHDOG=1". */
void ready_tell(const char *state);

#endif
