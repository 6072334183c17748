/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "http-proxy.h"

#include <string.h>

#include "../base/crypto.h"
#include "proxy-private.h"

/* An answer's head; real ones have a few hundred bytes. */
#define MAX_HEAD (16 * 1024)
/* A page for people that explains an error: longer ones cost the connection. */
#define MAX_BODY (64 * 1024)
/* RFC 9110 15.2: interim answers may come, and mean nothing here. */
#define MAX_INTERIM 4
/* Without a password, with one, and with it for a fresh nonce. */
#define MAX_REQUESTS 3

/* RFC 9110 15.5.8: Proxy Authentication Required. */
#define STATUS_AUTH 407
/* 15.5.2 means servers, and tinyproxy says it for a wrong password. */
#define STATUS_REFUSED 401

typedef struct
{
  IceStage parent;
  IceProxy *proxy;  /* (owned) */
  gchar *authority; /* (owned) (nullable) HOST:PORT of the tunnel's end */
  GString *head;    /* (owned) of the answer that is coming */
  gsize body_left;  /* of the answer before, to be skipped */
  guint n_requests, n_interim;
  gboolean tried;      /* a password was sent here */
  gboolean remembered; /* for what an earlier stage had been told */
} IceHttpProxy;

/* What the head of an answer says. */
typedef struct
{
  guint status;
  gboolean closes; /* or where its body ends is not known */
  gsize body_size;
  IceHttpChallenge *challenge; /* (owned) (nullable) the strongest */
} Answer;

static void
fail (IceHttpProxy *self, IceStageError code, const gchar *what)
{
  ice_stage_fail (&self->parent,
      g_error_new (ICE_STAGE_ERROR, code, "The proxy %s %s",
          ice_proxy_get_url (self->proxy), what));
}

/* Requests */

/* (transfer full) (nullable) secret */
static gchar *
make_credentials (IceHttpProxy *self)
{
  IceHttpChallenge *challenge = self->proxy->challenge;

  if (!challenge || !self->proxy->username)
    return NULL;
  self->remembered =
      self->n_requests == 0 && ice_http_challenge_is_used (challenge);
  return ice_http_challenge_answer (challenge, "CONNECT", self->authority,
      self->proxy->username, self->proxy->password ? self->proxy->password : "",
      NULL);
}

/* RFC 9110 9.3.6, RFC 9112 3.2.3: the target in authority form, and Host. */
static void
request (IceHttpProxy *self)
{
  gchar *credentials = make_credentials (self);
  gchar *text = g_strdup_printf ("CONNECT %s HTTP/1.1\r\n"
                                 "Host: %s\r\n"
                                 "%s%s%s\r\n",
      self->authority, self->authority,
      credentials ? "Proxy-Authorization: " : "",
      credentials ? credentials : "", credentials ? "\r\n" : "");

  self->n_requests++;
  self->tried |= credentials != NULL;
  ice_stage_write_below (&self->parent, ICE_BYTES (text, strlen (text)));
  ice_secret_free (credentials);
  ice_secret_free (text);
}

static void
start (IceStage *stage)
{
  IceHttpProxy *self = (IceHttpProxy *) stage;

  if (self->authority)
    request (self);
  else
    fail (self, ICE_STAGE_ERROR_REFUSED,
        "cannot be asked for that server: its host is no name and no address");
}

/* Answers */

static gboolean
has_name (const gchar *line, const gchar *name, const gchar **ret_value)
{
  const gsize size = strlen (name);

  if (g_ascii_strncasecmp (line, name, size) != 0 || line[size] != ':')
    return FALSE;
  *ret_value = line + size + 1 + strspn (line + size + 1, " \t");
  return TRUE;
}

/* RFC 9110 8.6: decimal digits, and all copies of it alike. */
static void
take_length (Answer *answer, const gchar *value)
{
  guint64 size;

  if (g_ascii_string_to_unsigned (value, 10, 0, MAX_BODY, &size, NULL))
    answer->body_size = (gsize) size;
  else
    answer->closes = TRUE;
}

static gboolean
says_close (const gchar *value)
{
  g_autofree gchar *lower = g_ascii_strdown (value, -1);

  return strstr (lower, "close") != NULL;
}

static void
take_field (Answer *answer, const gchar *line, gboolean *has_length)
{
  const gchar *value;

  if (has_name (line, "Proxy-Authenticate", &value)) {
    ice_http_challenge_merge (
        &answer->challenge, ice_http_challenge_parse (value));
  } else if (has_name (line, "Content-Length", &value)) {
    take_length (answer, value);
    *has_length = TRUE;
  } else if (has_name (line, "Transfer-Encoding", &value)) {
    answer->closes = TRUE;
  } else if (has_name (line, "Connection", &value) ||
      has_name (line, "Proxy-Connection", &value)) {
    answer->closes |= says_close (value);
  }
}

/* RFC 9112 4: HTTP-version SP 3DIGIT SP [reason]. */
static gboolean
parse_status (const gchar *line, Answer *answer)
{
  const gchar *code = line + strlen ("HTTP/1.x ");

  if (!g_str_has_prefix (line, "HTTP/1.") || strlen (line) < 12 ||
      line[8] != ' ' || !g_ascii_isdigit (code[0]) ||
      !g_ascii_isdigit (code[1]) || !g_ascii_isdigit (code[2]) ||
      (code[3] != ' ' && code[3] != '\0'))
    return FALSE;
  /* RFC 9112 9.3: HTTP/1.0 closes. */
  answer->closes = line[7] == '0';
  answer->status = 100 * (guint) (code[0] - '0') +
      10 * (guint) (code[1] - '0') + (guint) (code[2] - '0');
  return TRUE;
}

static gboolean
parse_answer (const gchar *head, Answer *answer)
{
  g_auto (GStrv) lines = g_strsplit (head, "\n", -1);
  gboolean has_length = FALSE;

  if (!parse_status (g_strchomp (lines[0]), answer))
    return FALSE;
  for (guint i = 1; lines[i]; i++)
    take_field (answer, g_strchomp (lines[i]), &has_length);
  answer->closes |= !has_length;
  return TRUE;
}

static const gchar *
describe (guint status)
{
  switch (status) {
    case 400:
    case 405:
    case 501:
      return "makes no tunnels (CONNECT): use another one";
    case 403:
      return "forbids the tunnel to that server (403): ask its administrator, "
             "or use a server on port 443";
    case 500:
    case 502:
    case 503:
      return "cannot reach that server (500, 502, 503): check its name and "
             "port";
    case 504:
      return "got no answer from that server (504): check its name and port";
    default:
      return NULL;
  }
}

static void
refuse (IceHttpProxy *self, guint status)
{
  const gchar *known = describe (status);
  g_autofree gchar *other =
      g_strdup_printf ("refuses the tunnel with status %u", status);

  fail (self, ICE_STAGE_ERROR_REFUSED, known ? known : other);
}

/* An answer to an older challenge may come late for its nonce, though not every
 * proxy says so (RFC 7616 3.3: stale). */
static gboolean
may_try_again (const IceHttpProxy *self, const IceHttpChallenge *wanted)
{
  return self->n_requests < MAX_REQUESTS &&
      (!self->tried || self->remembered ||
          ice_http_challenge_is_stale (wanted));
}

static void
ask_again (IceHttpProxy *self, const Answer *answer)
{
  self->body_left = answer->body_size;
  if (answer->closes)
    fail (self, ICE_STAGE_ERROR_AGAIN,
        "wants a password, and a new connection for it");
  else if (self->body_left == 0)
    request (self);
}

/* @answer's challenge is taken. */
static void
authenticate (IceHttpProxy *self, Answer *answer)
{
  IceHttpChallenge *wanted = g_steal_pointer (&answer->challenge);
  IceProxy *proxy = self->proxy;

  g_clear_pointer (&proxy->challenge, ice_http_challenge_free);
  if (!proxy->username)
    fail (self, ICE_STAGE_ERROR_AUTH,
        "wants a user and a password (407): write http://USER:PASSWORD@HOST");
  else if (!wanted)
    fail (self, ICE_STAGE_ERROR_AUTH,
        "wants a way to log in that is not supported (407): it has to offer "
        "Digest or Basic");
  else if (!may_try_again (self, wanted))
    fail (self, ICE_STAGE_ERROR_AUTH,
        "refuses user or password (407): correct them");
  else
    proxy->challenge = g_steal_pointer (&wanted);
  g_clear_pointer (&wanted, ice_http_challenge_free);
  if (proxy->challenge)
    ask_again (self, answer);
}

static void
take_answer (IceHttpProxy *self)
{
  Answer answer = { 0 };

  if (!parse_answer (self->head->str, &answer))
    fail (self, ICE_STAGE_ERROR_PROTOCOL,
        "does not speak HTTP: check its port, or write socks5://");
  else if (answer.status < 200 && ++self->n_interim > MAX_INTERIM)
    fail (self, ICE_STAGE_ERROR_PROTOCOL, "never comes to the point");
  else if (answer.status == STATUS_REFUSED && self->tried)
    fail (self, ICE_STAGE_ERROR_AUTH,
        "refuses user or password (401): correct them");
  else if (answer.status == STATUS_AUTH)
    authenticate (self, &answer);
  else if (answer.status >= 200 && answer.status < 300)
    ice_stage_opened (&self->parent);
  else if (answer.status >= 300)
    refuse (self, answer.status);
  g_clear_pointer (&answer.challenge, ice_http_challenge_free);
  g_string_truncate (self->head, 0);
}

/* RFC 9112 2.2: a lone LF ends a line, too. */
static gboolean
ends_head (const GString *head)
{
  return g_str_has_suffix (head->str, "\n\r\n") ||
      g_str_has_suffix (head->str, "\n\n");
}

static void
take_byte (IceHttpProxy *self, gchar byte)
{
  if (self->body_left > 0) {
    if (--self->body_left == 0)
      request (self);
  } else if (byte == '\0' || self->head->len == MAX_HEAD) {
    fail (self, ICE_STAGE_ERROR_PROTOCOL,
        "does not speak HTTP: check its port, or write socks5://");
  } else {
    g_string_append_c (self->head, byte);
    if (byte == '\n' && ends_head (self->head))
      take_answer (self);
  }
}

/* RFC 9110 9.3.6: the tunnel begins behind the empty line. */
static void
receive (IceStage *stage, IceBytes bytes)
{
  gsize i = 0;

  while (i < bytes.size && stage->state == ICE_STAGE_HANDSHAKING)
    take_byte ((IceHttpProxy *) stage, (gchar) bytes.data[i++]);
  if (stage->state == ICE_STAGE_OPEN && i < bytes.size)
    ice_stage_write_above (stage, ICE_BYTES (bytes.data + i, bytes.size - i));
}

static void
end (IceStage *stage)
{
  IceHttpProxy *self = (IceHttpProxy *) stage;

  if (stage->state == ICE_STAGE_OPEN)
    return;
  /* It had said what it wants, and promised to stay. */
  if (self->proxy->challenge && self->head->len == 0 &&
      (self->body_left > 0 || self->n_requests > 1))
    fail (self, ICE_STAGE_ERROR_AGAIN, "closed the connection after all");
  else
    fail (self, ICE_STAGE_ERROR_TRUNCATED,
        "closed the connection without an answer: check that it is a proxy, "
        "and lets us in");
}

static void
expire (IceStage *stage)
{
  fail ((IceHttpProxy *) stage, ICE_STAGE_ERROR_TIMED_OUT,
      "gave no answer in time: check that it is one, and that it reaches the "
      "server");
}

static void
free_stage (IceStage *stage)
{
  IceHttpProxy *self = (IceHttpProxy *) stage;

  ice_proxy_unref (self->proxy);
  g_string_free (self->head, TRUE);
  g_free (self->authority);
  g_free (self);
}

static const IceStageClass http_proxy_class = {
  .name = "http-proxy",
  .start = start,
  .receive = receive,
  .send = ice_stage_write_below,
  .end = end,
  .expire = expire,
  .free = free_stage,
};

IceStage *
ice_http_proxy_new (IceProxy *proxy, const gchar *host, guint16 port)
{
  IceHttpProxy *self = g_new0 (IceHttpProxy, 1);

  ice_stage_init (&self->parent, &http_proxy_class);
  self->proxy = ice_proxy_ref (proxy);
  self->authority = ice_proxy_make_authority (host, port);
  self->head = g_string_new (NULL);
  return &self->parent;
}
