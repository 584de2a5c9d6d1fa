-- How many jobs of an account may run at once; NULL: as many as there are slots.  Turns alone leave a customer all slots while
-- nobody else waits, and who comes then waits for the end of a long run.
ALTER TABLE account ADD COLUMN IF NOT EXISTS max_running INT UNSIGNED NULL;
