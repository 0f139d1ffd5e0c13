/* tls.c - one context: TLS 1.2 with forward secrecy and authenticated ciphers,
 * and 1.3 (RFC 9325). */

#include "web/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "web/kore_api.h"

#define CIPHERS                                                                \
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"           \
	"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"           \
	"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"

static SSL_CTX *context; /* NULL: not switched on */

static int
fail(const char *what, const char *file, struct err *e)
{
	const char *why = ERR_reason_error_string(ERR_peek_last_error());

	ERR_clear_error();
	SSL_CTX_free(context);
	context = NULL;
	return err_set(e, "invalid_value", "%s: %s: %s", what, file,
	    why == NULL ? "can't be read" : why);
}

/* No renegotiation, which only costs the server; nothing compressed. Buffers
 * may move between two tries to send them. */
static int
context_new(struct err *e)
{
	context = SSL_CTX_new(TLS_server_method());
	if (context == NULL ||
	    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_cipher_list(context, CIPHERS) != 1 ||
	    SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384") != 1 ||
	    SSL_CTX_set_session_id_context(
		context, (const unsigned char *)"open", 4) != 1)
		return err_set(e, "internal", "TLS can't be set up");
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION |
					 SSL_OP_NO_COMPRESSION |
					 SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				      SSL_MODE_RELEASE_BUFFERS);
	return 0;
}

int
tls_create(const struct config *c, struct err *e)
{
	const char *certificate = c->tls_certificate, *key = c->tls_key;

	if (certificate[0] == '\0' && key[0] == '\0')
		return 0;
	if (certificate[0] == '\0' || key[0] == '\0')
		return err_set(e, "invalid_value",
		    "tls_certificate and tls_key belong together: one of them "
		    "is not set");
	if (context_new(e) != 0)
		return -1;
	if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1)
		return fail("tls_certificate", certificate, e);
	if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_check_private_key(context) != 1)
		return fail("tls_key", key, e);
	return 0;
}

/* Kore takes the server for one without TLS until here, so that it starts no
 * key manager. */
void
tls_start(void)
{
	struct kore_server *s;

	if (context == NULL)
		return;
	LIST_FOREACH(s, &kore_servers, list)
	{
		s->tls = 1;
		primary_dom = TAILQ_FIRST(&s->domains);
		primary_dom->ssl_ctx = context;
	}
}
