/*
 * The processes below this one, as the kernel lists them in /proc (proc(5), "/proc/pid/task/tid/children").
 * A process cannot leave the tree by setsid() or by a double fork while an ancestor of it is a subreaper.
 */
#ifndef MCV_WORKER_PROCTREE_H
#define MCV_WORKER_PROCTREE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Sends sig to every descendant of root, not to root itself; how many there were. */
unsigned proctree_kill(pid_t root, int sig);

/* Resident memory of every descendant of root together, in bytes. */
uint64_t proctree_memory(pid_t root);

/* The direct children of root, at most max of them, into list; how many were listed. */
size_t proctree_children(pid_t root, pid_t *list, size_t max);

#endif
