-- An access token is longer than any password: up to JOB_SEALED_MAX (sql/job.h) when it is sealed.
ALTER TABLE job MODIFY COLUMN src_sealed VARBINARY(4200) NULL, MODIFY COLUMN dst_sealed VARBINARY(4200) NULL;
