#include "config.h"

#include "imap/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "imap/dial.h"
#include "lib/parse.h"

static void name_text(const X509_NAME *name, char *out, size_t size)
{
	BIO *bio = BIO_new(BIO_s_mem());

	out[0] = '\0';
	if (bio == NULL)
		return;
	if (X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0) {
		int n = BIO_read(bio, out, (int)size - 1);
		out[n > 0 ? n : 0] = '\0';
	}
	BIO_free(bio);
}

static void alternative_names(X509 *cert, char *out, size_t size)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	size_t len = 0;

	out[0] = '\0';
	for (int i = 0; names != NULL && i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, i);
		char one[300] = "";
		if (g->type == GEN_DNS) {
			const ASN1_IA5STRING *s = g->d.dNSName;
			snprintf(one, sizeof(one), "%.*s", ASN1_STRING_length(s), ASN1_STRING_get0_data(s));
		} else if (g->type == GEN_IPADD) {
			int bytes = ASN1_STRING_length(g->d.iPAddress);
			int family = bytes == 4 ? AF_INET : AF_INET6;
			if (bytes == 4 || bytes == 16)
				inet_ntop(family, ASN1_STRING_get0_data(g->d.iPAddress), one, sizeof(one));
		}
		size_t n = strlen(one);
		if (n == 0 || len + n + 3 > size)
			continue;
		len += (size_t)snprintf(out + len, size - len, "%s%s", len > 0 ? ", " : "", one);
	}
	GENERAL_NAMES_free(names);
}

static void describe(X509 *cert, struct imap_peer *p)
{
	struct tm tm;

	name_text(X509_get_subject_name(cert), p->cert_subject, sizeof(p->cert_subject));
	name_text(X509_get_issuer_name(cert), p->cert_issuer, sizeof(p->cert_issuer));
	alternative_names(cert, p->cert_names, sizeof(p->cert_names));
	p->cert_expires_s = ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

/* A refused certificate is gone after the handshake: look at it while it is judged. */
static int on_verify(int ok, X509_STORE_CTX *ctx)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(ctx, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct imap_peer *p = ssl != NULL ? SSL_get_app_data(ssl) : NULL;
	X509 *leaf = X509_STORE_CTX_get0_cert(ctx);

	if (!ok && p != NULL && leaf != NULL)
		describe(leaf, p);
	return ok;
}

static enum err openssl_failure(struct imap_failure *f, enum imap_cause c, const char *what)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	ERR_clear_error();
	return imap_fail(f, c, "%s: %s", what, reason != NULL ? reason : "no further reason");
}

static enum err make_context(bool verify, const char *ca_file, SSL_CTX **ctx_r, struct imap_failure *f)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (ctx == NULL)
		return openssl_failure(f, IMAP_INTERNAL, "SSL_CTX_new");
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	/* many records in one read(2), where each would take two; and the cipher that costs both sides least
	 */
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_default_read_buffer_len(ctx, IMAP_STREAM_BUFFER);
	(void)SSL_CTX_set_ciphersuites(
	    ctx, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256");
	if (verify) {
		bool own = ca_file != NULL && ca_file[0] != '\0';
		int ok = own ? SSL_CTX_load_verify_file(ctx, ca_file) : SSL_CTX_set_default_verify_paths(ctx);
		if (ok != 1) {
			enum err e = openssl_failure(f, IMAP_CA_FILE_BAD, own ? ca_file : "system store");
			SSL_CTX_free(ctx);
			return e;
		}
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, on_verify);
	}
	*ctx_r = ctx;
	return ERR_OK;
}

/* Host name or address to send and to insist on. */
static bool set_name(SSL *ssl, const char *host, bool verify)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	char name[256];
	size_t len = strlen(host);

	if (parse_is_address(host))
		return !verify || X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1;
	if (len == 0 || len >= sizeof(name))
		return false;
	/* "mail.example.org." is the same name; certificates and SNI have it without the dot */
	snprintf(name, sizeof(name), "%.*s", (int)(host[len - 1] == '.' ? len - 1 : len), host);
	if (SSL_set_tlsext_host_name(ssl, name) != 1)
		return false;
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return !verify || X509_VERIFY_PARAM_set1_host(param, name, 0) == 1;
}

static enum imap_cause cause_of_verify(long code)
{
	switch (code) {
	case X509_V_ERR_CERT_HAS_EXPIRED: return IMAP_CERT_EXPIRED;
	case X509_V_ERR_CERT_NOT_YET_VALID: return IMAP_CERT_NOT_YET_VALID;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: return IMAP_CERT_SELF_SIGNED;
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH: return IMAP_CERT_WRONG_HOST;
	default: return IMAP_CERT_UNTRUSTED;
	}
}

static enum err handshake_failure(SSL *ssl, int result, struct imap_failure *f)
{
	long verdict = SSL_get_verify_result(ssl);
	int why = SSL_get_error(ssl, result), error = errno;

	if (verdict != X509_V_OK && SSL_get_verify_mode(ssl) != SSL_VERIFY_NONE) {
		ERR_clear_error();
		return imap_fail(f, cause_of_verify(verdict), "%s", X509_verify_cert_error_string(verdict));
	}
	if (why == SSL_ERROR_SYSCALL && ERR_peek_error() == 0)
		return imap_fail(f, IMAP_TLS_FAILED, "the server hung up during the handshake%s%s",
		    error != 0 ? ": " : "", error != 0 ? strerror(error) : "");
	return openssl_failure(f, IMAP_TLS_FAILED, "handshake");
}

/*
 * The first byte the server sent: TLS records begin with 20 to 23, a server that greets in text does not.
 * Looked at before OpenSSL takes it, until it is there.
 */
enum first_byte { NOTHING_YET, IS_TLS, IS_TEXT };

static enum first_byte look(int fd)
{
	unsigned char first = 0;

	if (recv(fd, &first, 1, MSG_PEEK | MSG_DONTWAIT) != 1)
		return NOTHING_YET;
	return first >= 20 && first <= 23 ? IS_TLS : IS_TEXT;
}

/* What OpenSSL calls text that came between our look and its own. */
static bool complains_of_text(void)
{
	int reason = ERR_GET_REASON(ERR_peek_error());

	return reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST ||
	       reason == SSL_R_PACKET_LENGTH_TOO_LONG;
}

static enum err shake(SSL *ssl, int fd, bool starttls, mono_time deadline, struct imap_failure *f)
{
	enum first_byte first = NOTHING_YET;

	for (;;) {
		if (first == NOTHING_YET)
			first = look(fd);
		ERR_clear_error();
		errno = 0;
		int n = first == IS_TEXT ? -1 : SSL_connect(ssl);
		if (n == 1)
			return ERR_OK;
		int why = first == IS_TEXT ? SSL_ERROR_SSL : SSL_get_error(ssl, n);
		if (first == IS_TEXT ||
		    (first == NOTHING_YET && why == SSL_ERROR_SSL && complains_of_text())) {
			ERR_clear_error();
			return imap_fail(f, starttls ? IMAP_STARTTLS_INJECTION : IMAP_NOT_TLS,
			    "plain text came where TLS should begin");
		}
		if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
			return handshake_failure(ssl, n, f);
		enum err e = imap_wait(fd, why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, deadline);
		if (e == ERR_TIMEOUT)
			return imap_fail(f, IMAP_TIMED_OUT, "no answer to the TLS handshake");
		if (e != ERR_OK)
			return imap_fail_errno(f, errno, "poll");
	}
}

enum err imap_tls_start(int fd, const char *host, bool verify, const char *ca_file, bool starttls,
    mono_time deadline, struct ssl_st **ssl_r, struct imap_peer *peer, struct imap_failure *f)
{
	SSL_CTX *ctx = NULL;
	enum err e = make_context(verify, ca_file, &ctx, f);

	if (e != ERR_OK)
		return e;
	SSL *ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	if (ssl == NULL || SSL_set_fd(ssl, fd) != 1 || !set_name(ssl, host, verify)) {
		SSL_free(ssl);
		return openssl_failure(f, IMAP_INTERNAL, "setting up TLS");
	}
	SSL_set_app_data(ssl, peer);
	e = shake(ssl, fd, starttls, deadline, f);
	SSL_set_app_data(ssl, NULL);
	if (e != ERR_OK) {
		SSL_free(ssl);
		return e;
	}
	snprintf(peer->tls_version, sizeof(peer->tls_version), "%s", SSL_get_version(ssl));
	snprintf(peer->tls_cipher, sizeof(peer->tls_cipher), "%s", SSL_get_cipher_name(ssl));
	X509 *cert = SSL_get1_peer_certificate(ssl);
	if (cert != NULL)
		describe(cert, peer);
	X509_free(cert);
	*ssl_r = ssl;
	return ERR_OK;
}

enum err imap_tls_failure(struct ssl_st *ssl, int result, struct imap_failure *f)
{
	int error = errno, why = SSL_get_error(ssl, result);

	if (why == SSL_ERROR_ZERO_RETURN)
		return imap_fail(f, IMAP_CLOSED, "the server closed the connection");
	if (why == SSL_ERROR_SYSCALL && error != 0 && ERR_peek_error() == 0)
		return imap_fail_errno(f, error, "connection");
	if (why == SSL_ERROR_SYSCALL ||
	    ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
		ERR_clear_error();
		return imap_fail(f, IMAP_CLOSED, "the connection was cut off");
	}
	return openssl_failure(f, IMAP_TLS_FAILED, "TLS");
}
