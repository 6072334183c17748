/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIg_hostname_to_ascii
#include "config.h"
#endif

#include "proxy-private.h"

#include <string.h>

#include "../base/address.h"
#include "../base/crypto.h"
#include "http-proxy.h"
#include "socks.h"

/* RFC 9110 4.2.1, RFC 1928 3. */
#define HTTP_PORT 80
#define SOCKS_PORT 1080

/* RFC 1035 2.3.4, as text without the last dot. */
#define MAX_HOST 253

#define USAGE                                                                  \
  "write http://[USER:PASSWORD@]HOST[:PORT] or "                               \
  "socks5://[USER:PASSWORD@]HOST[:PORT], special characters "                  \
  "percent-encoded"

typedef struct
{
  const gchar *name;
  IceProxyKind kind;
  guint16 port;
} Scheme;

/* With "socks5" curl resolves names itself and with "socks5h" does not; "socks"
 * is what GProxyResolver says. */
static const Scheme schemes[] = {
  { "http", ICE_PROXY_HTTP, HTTP_PORT },
  { "socks5", ICE_PROXY_SOCKS5, SOCKS_PORT },
  { "socks5h", ICE_PROXY_SOCKS5, SOCKS_PORT },
  { "socks", ICE_PROXY_SOCKS5, SOCKS_PORT },
};

static gboolean
fail (GError **error, const gchar *what)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
      "The proxy's URI %s; " USAGE, what);
  return FALSE;
}

static const Scheme *
find_scheme (const gchar *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (schemes); i++) {
    if (g_ascii_strcasecmp (schemes[i].name, name) == 0)
      return &schemes[i];
  }
  return NULL;
}

static gboolean
has_control (const gchar *text)
{
  for (; text && *text; text++) {
    if (g_ascii_iscntrl (*text))
      return TRUE;
  }
  return FALSE;
}

/* RFC 7617 2: no colon in a user, no control characters in either; RFC 1929 2:
 * 1 to 255 bytes each. */
static gboolean
check_user (const IceProxy *self, GError **error)
{
  const gchar *password = self->password ? self->password : "";

  if (self->username == NULL)
    return TRUE;
  if (has_control (self->username) || has_control (password))
    return fail (error, "has control characters in its user or password");
  if (self->kind == ICE_PROXY_HTTP && strchr (self->username, ':'))
    return fail (
        error, "has a colon in its user, which HTTP cannot carry (RFC 7617)");
  if (*self->username == '\0' || strlen (self->username) > 255 ||
      strlen (password) > 255)
    return fail (error, "has no user, or one of more than 255 bytes");
  if (self->kind == ICE_PROXY_SOCKS5 && *password == '\0')
    return fail (error,
        "has a user without a password, which SOCKS5 cannot carry (RFC 1929)");
  return TRUE;
}

static gboolean
is_ascii_host (const gchar *host)
{
  const gsize size = strlen (host);
  IceAddress address;

  if (ice_address_parse (&address, host, 0))
    return strchr (host, '%') == NULL;
  for (const gchar *p = host; *p; p++) {
    if (!g_ascii_isalnum (*p) && *p != '.' && *p != '-' && *p != '_')
      return FALSE;
  }
  return size > 0 && size <= MAX_HOST;
}

gchar *
ice_proxy_dup_ascii_host (const gchar *host)
{
  g_autofree gchar *ascii =
      g_str_is_ascii (host) || !g_utf8_validate (host, -1, NULL)
      ? g_strdup (host)
      : g_hostname_to_ascii (host);

  return ascii && is_ascii_host (ascii) ? g_steal_pointer (&ascii) : NULL;
}

gchar *
ice_proxy_make_authority (const gchar *host, guint16 port)
{
  g_autofree gchar *ascii = ice_proxy_dup_ascii_host (host);
  gboolean literal = ascii && strchr (ascii, ':') != NULL;

  return ascii ? g_strdup_printf ("%s%s%s:%u", literal ? "[" : "", ascii,
                     literal ? "]" : "", port)
               : NULL;
}

static void
make_url (IceProxy *self)
{
  g_autofree gchar *authority =
      ice_proxy_make_authority (self->host, self->port);
  g_autofree gchar *user =
      self->username ? g_uri_escape_string (self->username, NULL, FALSE) : NULL;

  self->url = g_strdup_printf ("%s://%s%s%s",
      self->kind == ICE_PROXY_HTTP ? "http" : "socks5", user ? user : "",
      user ? "@" : "", authority);
}

static gboolean
take_uri (IceProxy *self, GUri *uri, GError **error)
{
  const Scheme *scheme = find_scheme (g_uri_get_scheme (uri));
  const gchar *path = g_uri_get_path (uri);

  if (g_str_equal (g_uri_get_scheme (uri), "https"))
    return fail (error,
        "asks to speak TLS to the proxy, which is not supported: what goes "
        "through it may well be TLS");
  if (!scheme)
    return fail (error, "is of a kind that is not supported");
  if ((*path && !g_str_equal (path, "/")) || g_uri_get_query (uri) ||
      g_uri_get_fragment (uri))
    return fail (error, "has something behind the host that is no port");
  self->kind = scheme->kind;
  self->host = ice_proxy_dup_ascii_host (
      g_uri_get_host (uri) ? g_uri_get_host (uri) : "");
  if (!self->host)
    return fail (error, "names no host");
  self->port = scheme->port;
  if (g_uri_get_port (uri) != -1)
    self->port = (guint16) g_uri_get_port (uri);
  if (self->port == 0)
    return fail (error, "has no port from 1 to 65535");
  self->username = g_strdup (g_uri_get_user (uri));
  self->password = g_strdup (g_uri_get_password (uri));
  if (!check_user (self, error))
    return FALSE;
  make_url (self);
  return TRUE;
}

IceProxy *
ice_proxy_new (const gchar *text, GError **error)
{
  g_autoptr (IceProxy) self = g_new0 (IceProxy, 1);
  g_autoptr (GUri) uri =
      g_uri_parse (text, G_URI_FLAGS_HAS_PASSWORD, NULL /* may quote it */);

  g_atomic_ref_count_init (&self->ref_count);
  if (!uri)
    fail (error, "cannot be read");
  else if (take_uri (self, uri, error))
    return g_steal_pointer (&self);
  return NULL;
}

IceProxy *
ice_proxy_ref (IceProxy *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
ice_proxy_unref (IceProxy *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_free (self->host);
  g_free (self->username);
  ice_secret_free (self->password);
  g_free (self->url);
  g_clear_pointer (&self->challenge, ice_http_challenge_free);
  g_free (self);
}

const gchar *
ice_proxy_get_url (const IceProxy *self)
{
  return self->url;
}

const gchar *
ice_proxy_get_host (const IceProxy *self)
{
  return self->host;
}

guint16
ice_proxy_get_port (const IceProxy *self)
{
  return self->port;
}

IceStage *
ice_proxy_new_stage (IceProxy *self, const gchar *host, guint16 port)
{
  return self->kind == ICE_PROXY_HTTP ? ice_http_proxy_new (self, host, port)
                                      : ice_socks_new (self, host, port);
}
