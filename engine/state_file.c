#include "config.h"

#include "engine/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <openssl/evp.h>

#include "lib/buf.h"
#include "lib/mem.h"

bool file_read_at(int fd, void *to, size_t len, off_t at)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = pread(fd, (char *)to + done, len - done, at + (off_t)done);
		if (n == 0)
			return false;
		if (n > 0)
			done += (size_t)n;
		else if (errno != EINTR)
			return false;
	}
	return true;
}

enum err file_write(int fd, const void *from, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = write(fd, (const char *)from + done, len - done);
		if (n > 0)
			done += (size_t)n;
		else if (n < 0 && errno != EINTR)
			return ERR_IO;
	}
	return ERR_OK;
}

bool file_is_whole(int fd, off_t size)
{
	uint8_t chunk[65536];
	uint8_t told[FILE_DIGEST_LEN];
	uint8_t own[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	off_t end = size - FILE_DIGEST_LEN;
	bool good = md != NULL && end > 0 && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1;

	for (off_t at = 0; good && at < end;) {
		size_t n = end - at < (off_t)sizeof(chunk) ? (size_t)(end - at) : sizeof(chunk);
		good = file_read_at(fd, chunk, n, at) && EVP_DigestUpdate(md, chunk, n) == 1;
		at += (off_t)n;
	}
	good = good && EVP_DigestFinal_ex(md, own, NULL) == 1 && file_read_at(fd, told, sizeof(told), end) &&
	       memcmp(told, own, sizeof(told)) == 0;
	EVP_MD_CTX_free(md);
	return good;
}

int file_open_beside(const char *path, char **name_r)
{
	AUTO_BUF struct buf name = BUF_INIT;
	buf_addf(&name, "%s.XXXXXX", path);
	*name_r = buf_steal(&name);
	return mkostemp(*name_r, O_CLOEXEC);
}

void file_sync_directory(const char *path)
{
	const char *slash = strrchr(path, '/');
	AUTO_FREE char *above =
	    slash == NULL ? mem_strdup(".") : mem_strndup(path, (size_t)(slash - path) + 1);
	int fd = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)fsync(fd);
	(void)close(fd);
}
