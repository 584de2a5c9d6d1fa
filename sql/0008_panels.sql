-- Control panels that may show an account's pages in a frame: origins, one blank between.  NULL: none of its own.
ALTER TABLE account ADD COLUMN IF NOT EXISTS panel_origins VARCHAR(1000) CHARACTER SET ascii COLLATE ascii_bin NULL;
