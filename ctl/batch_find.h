/* A batch by its number or its tag. */
#ifndef MCV_CTL_BATCH_FIND_H
#define MCV_CTL_BATCH_FIND_H

#include "ctl/api.h"

/*
 * The number of the batch, as text in the ctl's arena: word itself when that is one, else of the newest batch
 * of that tag among those the token sees.  CTL_OK; CTL_REFUSED after a complaint: there is none, or several
 * accounts have one.
 */
enum ctl_exit batch_find(struct ctl *ctl, struct api *api, const char *word, const char **id_r) MUST_CHECK;

#endif
