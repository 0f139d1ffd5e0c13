/* mail_smtp.c - threads that send a mail each with curl.
 *
 *   smtp_send ─► todo ─► curl, one mail a thread ─► done ─► smtp_take
 *
 * Not curl's multi interface: it waits for the answer to QUIT without looking at
 * other transfers, so one server that drips would hold up all.
 */
#include "web/mail_smtp.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

static struct {
	pthread_mutex_t mutex;
	pthread_cond_t wake;
	pthread_t threads[SMTP_AT_ONCE];
	unsigned running;
	bool stop;
	struct smtp_mail *todo, *done;
	void (*tell)(void);

	/* Constant once smtp_start has run. */
	const struct smtp_settings *settings;
	char *url, *user, *password; /* url: without the others */
} smtp = {.mutex = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

/* --- the URL -------------------------------------------------------------- */

static int
bad_url(CURLU *u, struct err *e)
{
	curl_url_cleanup(u);
	return err_set(e, "invalid_url",
	    "must be smtp://HOST:PORT or smtps://HOST:PORT, with "
	    "USER:PASSWORD@ before the host where the server wants it");
}

static void
url_part(CURLU *u, CURLUPart part, char **out)
{
	char *text = NULL;

	free(*out);
	*out = NULL;
	if (curl_url_get(u, part, &text, CURLU_URLDECODE) == CURLUE_OK)
		*out = strdup(text);
	curl_free(text);
}

/* NULL and e: not one of ours. */
static CURLU *
url_parse(const char *url, struct err *e)
{
	CURLU *u = curl_url();
	char *path = NULL;
	bool bare;

	if (u == NULL ||
	    (strncmp(url, "smtp://", 7) != 0 &&
		strncmp(url, "smtps://", 8) != 0) ||
	    curl_url_set(u, CURLUPART_URL, url, 0) != CURLUE_OK) {
		bad_url(u, e);
		return NULL;
	}
	bare = curl_url_get(u, CURLUPART_PATH, &path, 0) == CURLUE_OK &&
	       strcmp(path, "/") == 0;
	curl_free(path);
	if (bare)
		return u;
	bad_url(u, e);
	return NULL;
}

int
smtp_url_check(const char *url, struct err *e)
{
	CURLU *u = url_parse(url, e);

	if (u == NULL)
		return -1;
	curl_url_cleanup(u);
	return 0;
}

static int
credentials_split(const struct smtp_settings *s, struct err *e)
{
	CURLU *u = url_parse(s->url, e);

	if (u == NULL)
		return -1;
	url_part(u, CURLUPART_USER, &smtp.user);
	url_part(u, CURLUPART_PASSWORD, &smtp.password);
	curl_url_set(u, CURLUPART_USER, NULL, 0);
	curl_url_set(u, CURLUPART_PASSWORD, NULL, 0);
	url_part(u, CURLUPART_URL, &smtp.url);
	curl_url_cleanup(u);
	if (s->password[0] != '\0') {
		free(smtp.password);
		smtp.password = strdup(s->password);
	}
	return smtp.url == NULL ? err_memory(e) : 0;
}

/* --- one mail ------------------------------------------------------------- */

static size_t
read_text(char *to, size_t size, size_t count, void *arg)
{
	struct smtp_mail *mail = arg;
	size_t n = size * count;

	if (n > mail->len - mail->at)
		n = mail->len - mail->at;
	memcpy(to, mail->text + mail->at, n);
	mail->at += n;
	return n;
}

static void
set_tls(CURL *easy)
{
	static const long use[] = {
	    [SMTP_TLS_OFF] = CURLUSESSL_NONE,
	    [SMTP_TLS_TRY] = CURLUSESSL_TRY,
	    [SMTP_TLS_REQUIRED] = CURLUSESSL_ALL,
	};

	curl_easy_setopt(easy, CURLOPT_USE_SSL, use[smtp.settings->tls]);
	curl_easy_setopt(
	    easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (smtp.settings->ca_file[0] != '\0')
		curl_easy_setopt(easy, CURLOPT_CAINFO, smtp.settings->ca_file);
	if (smtp.user != NULL) {
		curl_easy_setopt(easy, CURLOPT_USERNAME, smtp.user);
		curl_easy_setopt(easy, CURLOPT_PASSWORD,
		    smtp.password == NULL ? "" : smtp.password);
	}
}

static bool
stopping(void)
{
	bool stop;

	pthread_mutex_lock(&smtp.mutex);
	stop = smtp.stop;
	pthread_mutex_unlock(&smtp.mutex);
	return stop;
}

/* curl asks at least once a second whether to go on. */
static int
look_up(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	(void)arg;
	(void)a;
	(void)b;
	(void)c;
	(void)d;
	return stopping();
}

static void
set_bounds(CURL *easy)
{
	long ms = (long)(smtp.settings->timeout_ns / 1000000);

	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	/* The second is for the answer to QUIT, too. */
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, ms);
	curl_easy_setopt(
	    easy, CURLOPT_SERVER_RESPONSE_TIMEOUT, ms < 1000 ? 1L : ms / 1000);
	curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, look_up);
}

/* easy NULL: out of memory. */
static CURLcode
mail_try(CURL *easy, struct smtp_mail *mail)
{
	struct curl_slist *to = curl_slist_append(NULL, mail->recipient);
	CURLcode rc;

	if (easy == NULL || to == NULL) {
		curl_slist_free_all(to);
		return CURLE_OUT_OF_MEMORY;
	}
	curl_easy_setopt(easy, CURLOPT_URL, smtp.url);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, mail->detail);
	curl_easy_setopt(easy, CURLOPT_MAIL_FROM, smtp.settings->from);
	curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, to);
	curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, read_text);
	curl_easy_setopt(easy, CURLOPT_READDATA, (void *)mail);
	set_bounds(easy);
	set_tls(easy);
	rc = curl_easy_perform(easy);
	curl_slist_free_all(to);
	return rc;
}

static void
copy_printable(char *to, size_t size, const char *from)
{
	size_t i;

	for (i = 0; i + 1 < size && from[i] != '\0'; i++)
		to[i] = from[i] >= ' ' && from[i] <= '~' ? from[i] : ' ';
	to[i] = '\0';
}

/* curl's words, never the server's: those may repeat an address. */
static void
mail_judge(CURL *easy, struct smtp_mail *mail, CURLcode rc)
{
	long status = 0;

	mail->outcome = rc == CURLE_OK ? SMTP_SENT : SMTP_AGAIN;
	mail->error[0] = '\0';
	if (rc == CURLE_OK)
		return;
	copy_printable(mail->error, sizeof(mail->error),
	    mail->detail[0] != '\0' ? mail->detail : curl_easy_strerror(rc));
	if (easy != NULL)
		curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	if (status >= 500 && status <= 599 &&
	    (rc == CURLE_SEND_ERROR || rc == CURLE_WEIRD_SERVER_REPLY))
		mail->outcome = SMTP_REFUSED;
}

static void
mail_send(struct smtp_mail *mail)
{
	CURL *easy = curl_easy_init();

	mail->at = 0;
	mail->detail[0] = '\0';
	mail_judge(easy, mail, mail_try(easy, mail));
	curl_easy_cleanup(easy);
	pthread_mutex_lock(&smtp.mutex);
	mail->next = smtp.done;
	smtp.done = mail;
	pthread_mutex_unlock(&smtp.mutex);
	smtp.tell();
}

/* --- the threads ---------------------------------------------------------- */

static void *
thread_main(void *arg)
{
	struct smtp_mail *mail;

	(void)arg;
	for (;;) {
		pthread_mutex_lock(&smtp.mutex);
		while (smtp.todo == NULL && !smtp.stop)
			pthread_cond_wait(&smtp.wake, &smtp.mutex);
		mail = smtp.todo;
		if (mail != NULL)
			smtp.todo = mail->next;
		pthread_mutex_unlock(&smtp.mutex);
		if (mail == NULL || stopping())
			break;
		mail_send(mail);
	}
	return NULL;
}

/* As many as there are mails at once. */
static void
threads_start(unsigned count)
{
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	while (
	    smtp.running < count && pthread_create(&smtp.threads[smtp.running],
					NULL, thread_main, NULL) == 0)
		smtp.running++;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

/* --- the event loop's side ------------------------------------------------ */

int
smtp_start(const struct smtp_settings *s, void (*done)(void), struct err *e)
{
	if (credentials_split(s, e) != 0)
		return -1;
	smtp.settings = s;
	smtp.tell = done;
	curl_global_init(CURL_GLOBAL_DEFAULT);
	return 0;
}

bool
smtp_send(struct smtp_mail *mails, unsigned count)
{
	unsigned i;

	threads_start(count);
	if (smtp.running == 0)
		return false;
	for (i = 0; i < count; i++)
		mails[i].next = i + 1 < count ? &mails[i + 1] : NULL;
	pthread_mutex_lock(&smtp.mutex);
	smtp.todo = mails;
	pthread_cond_broadcast(&smtp.wake);
	pthread_mutex_unlock(&smtp.mutex);
	return true;
}

struct smtp_mail *
smtp_take(void)
{
	struct smtp_mail *mail;

	pthread_mutex_lock(&smtp.mutex);
	if ((mail = smtp.done) != NULL)
		smtp.done = mail->next;
	pthread_mutex_unlock(&smtp.mutex);
	return mail;
}

void
smtp_stop(void)
{
	pthread_mutex_lock(&smtp.mutex);
	smtp.stop = true;
	pthread_cond_broadcast(&smtp.wake);
	pthread_mutex_unlock(&smtp.mutex);
	while (smtp.running > 0)
		pthread_join(smtp.threads[--smtp.running], NULL);
}
