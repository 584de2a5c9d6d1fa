/*
 * What mailconvoyctl job does, a file for each group of words; verb_job.c has the table.
 */
#ifndef MCV_CTL_JOB_H
#define MCV_CTL_JOB_H

#include "ctl/api.h"
#include "ctl/ctl.h"

/* The words behind "job add" and so on. */
typedef enum ctl_exit job_fn(struct ctl *ctl, int count, char **words);

job_fn job_add, job_list, job_show, job_tail, job_cancel, job_rerun, job_confirm_deletion, job_delete;

/* Say how job is called; CTL_USAGE. */
enum ctl_exit job_usage(void);

/* The path of a job's row, "/jobs/17", with action ("/cancel", may be "") behind; NULL after a complaint:
 * word is no job's number. */
const char *job_path(struct ctl *ctl, const char *word, const char *action);

/* "ann@mail.example.org → ann@new.example.org", of a job as the panel shows it; not yet made visible. */
const char *job_route(struct arena *a, struct json_object *job);

/* Whether it is to be a dry run: one unless --real was given.  false after a complaint: both were. */
bool job_kind_is_clear(bool real, bool dry_run);

#endif
