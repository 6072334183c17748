/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "place.h"

#include <string.h>

/* No name of a host is longer (RFC 1035 2.3.4), no user of anybody's. */
#define MAX_HOST 255
#define MAX_USER 255

static void
set_invalid (GError **error, const gchar *what)
{
  g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_URI,
      "The SIP URI %s; sip:bob@example.org calls, "
      "sips:alice:password@example.org?register=1 waits for calls",
      what);
}

void
gst_ice_sip_place_free (GstIceSipPlace *self)
{
  if (self == NULL)
    return;
  g_free (self->user);
  g_free (self->host);
  g_free (self->transport);
  g_free (self->username);
  g_free (self->password);
  g_free (self);
}

/* RFC 3261 25.1: user = 1*( unreserved / escaped / user-unreserved ) */
static gboolean
is_user (const gchar *text)
{
  const gchar *p;

  for (p = text; *p != '\0'; p++)
    if (*p == '%') {
      if (!g_ascii_isxdigit (p[1]) || !g_ascii_isxdigit (p[2]))
        return FALSE;
      p += 2;
    } else if (!g_ascii_isalnum (*p) &&
        strchr ("-_.!~*'()&=+$,;?/", *p) == NULL) {
      return FALSE;
    }
  return p != text && p - text <= MAX_USER;
}

static gboolean
is_host (const gchar *text)
{
  gsize length = strlen (text);
  const gchar *p;

  if (length > MAX_HOST)
    return FALSE;
  if (*text == '[') {
    g_autofree gchar *inside = g_strndup (text + 1, length - 2);

    return text[length - 1] == ']' && g_hostname_is_ip_address (inside);
  }
  for (p = text; *p != '\0'; p++)
    if (!g_ascii_isalnum (*p) && strchr ("-.", *p) == NULL)
      return FALSE;
  return p != text;
}

static gboolean
parse_host (GstIceSipPlace *self, const gchar *text, GError **error)
{
  const gchar *after = *text == '[' ? strchr (text, ']') : text;
  const gchar *colon = after != NULL ? strchr (after, ':') : NULL;
  guint64 port = 0;

  self->host = colon != NULL ? g_strndup (text, colon - text) : g_strdup (text);
  if (!is_host (self->host)) {
    set_invalid (error, "names no host");
    return FALSE;
  }
  if (colon != NULL &&
      !g_ascii_string_to_unsigned (colon + 1, 10, 1, 65535, &port, NULL)) {
    set_invalid (error, "has no port from 1 to 65535 after the colon");
    return FALSE;
  }
  self->port = port;
  /* Sofia asks DNS for names, which need not know this one. */
  if (g_ascii_strcasecmp (self->host, "localhost") == 0) {
    g_free (self->host);
    self->host = g_strdup ("127.0.0.1");
  }
  return TRUE;
}

/* ";transport=tcp": RFC 3261 19.1.1. */
static gboolean
parse_parameters (GstIceSipPlace *self, gchar **list, GError **error)
{
  for (; *list != NULL; list++) {
    const gchar *value = *list + strlen ("transport=");

    if (g_ascii_strncasecmp (*list, "transport=", value - *list) != 0) {
      set_invalid (error, "has another parameter than “transport”");
      return FALSE;
    }
    g_free (self->transport);
    self->transport = g_ascii_strdown (value, -1);
    if (!g_str_equal (self->transport, "udp") &&
        !g_str_equal (self->transport, "tcp") &&
        !g_str_equal (self->transport, "tls")) {
      set_invalid (error, "has another transport than udp, tcp and tls");
      return FALSE;
    }
  }
  if (g_strcmp0 (self->transport, "tls") == 0)
    self->secure = TRUE;
  if (self->secure && self->transport != NULL &&
      !g_str_equal (self->transport, "tls")) {
    set_invalid (error, "asks for TLS by “sips:” and for a transport without");
    return FALSE;
  }
  return TRUE;
}

static gboolean
parse_flag (
    const gchar *name, const gchar *value, gboolean *ret_flag, GError **error)
{
  *ret_flag = g_str_equal (value, "1");
  if (*ret_flag || g_str_equal (value, "0"))
    return TRUE;
  g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_URI,
      "“%s” of a SIP URI is 0 or 1", name);
  return FALSE;
}

static gboolean
take_option (
    GstIceSipPlace *self, const gchar *name, const gchar *value, GError **error)
{
  if (g_str_equal (name, "listen"))
    return parse_flag (name, value, &self->listen, error);
  if (g_str_equal (name, "register"))
    return parse_flag (name, value, &self->registers, error);
  if (g_str_equal (name, "user")) {
    g_free (self->username);
    self->username = g_strdup (value);
    return TRUE;
  }
  if (g_str_equal (name, "password")) {
    g_free (self->password);
    self->password = g_strdup (value);
    return TRUE;
  }
  /* Its name may be a password that has a “&” in it. */
  set_invalid (error,
      "has an option that is none of listen, register, user "
      "and password");
  return FALSE;
}

static gboolean
parse_options (GstIceSipPlace *self, const gchar *query, GError **error)
{
  g_autoptr (GHashTable) params =
      g_uri_parse_params (query, -1, "&", G_URI_PARAMS_NONE, NULL);
  GHashTableIter iter;
  gpointer name, value;

  if (params == NULL) {
    set_invalid (error, "has an option without value, or badly escaped");
    return FALSE;
  }
  g_hash_table_iter_init (&iter, params);
  while (g_hash_table_iter_next (&iter, &name, &value))
    if (!take_option (self, name, value, error))
      return FALSE;
  return TRUE;
}

/* "alice:password", escaped. */
static gboolean
parse_user (GstIceSipPlace *self, const gchar *text, GError **error)
{
  const gchar *colon = strchr (text, ':');

  self->user = colon != NULL ? g_strndup (text, colon - text) : g_strdup (text);
  if (!is_user (self->user)) {
    set_invalid (error,
        "has a user that is not escaped as RFC 3261 19.1.2 "
        "has it");
    return FALSE;
  }
  if (colon == NULL)
    return TRUE;
  self->password = g_uri_unescape_string (colon + 1, NULL);
  if (self->password == NULL)
    set_invalid (error, "has a password that is badly escaped");
  return self->password != NULL;
}

/* RFC 3261 19.1.1 advises against passwords of others in URIs: ours belong to
 * the address that is ours. */
static gboolean
check_place (GstIceSipPlace *self, gboolean has_password, GError **error)
{
  if (self->listen && self->registers) {
    set_invalid (error, "asks for listen and register; either is enough");
    return FALSE;
  }
  if (self->registers && self->user == NULL) {
    set_invalid (error, "registers nobody");
    return FALSE;
  }
  if (!self->listen && !self->registers && self->user == NULL) {
    set_invalid (error, "says nobody to call; to be called, add ?listen=1");
    return FALSE;
  }
  if (has_password && !self->registers) {
    set_invalid (error,
        "has a password for the one who is called; yours is "
        "?user=NAME&password=...");
    return FALSE;
  }
  if (self->registers && self->username == NULL)
    self->username = g_uri_unescape_string (self->user, NULL);
  return TRUE;
}

GstIceSipPlace *
gst_ice_sip_place_parse (const gchar *uri, GError **error)
{
  g_autoptr (GstIceSipPlace) self = g_new0 (GstIceSipPlace, 1);
  g_autofree gchar *address = NULL;
  g_auto (GStrv) parts = NULL;
  const gchar *rest, *query, *host;
  gchar *at;
  gboolean has_password;

  self->secure = g_ascii_strncasecmp (uri, "sips:", 5) == 0;
  if (!self->secure && g_ascii_strncasecmp (uri, "sip:", 4) != 0) {
    set_invalid (error, "begins with neither sip: nor sips:");
    return NULL;
  }
  rest = uri + (self->secure ? 5 : 4);
  at = strrchr (rest, '@');
  /* A “?” may be in a user (RFC 3261 25.1), so look for it after the host. */
  query = strchr (at != NULL ? at : rest, '?');
  address = query != NULL ? g_strndup (rest, query - rest) : g_strdup (rest);
  at = strrchr (address, '@');
  if (at != NULL)
    *at = '\0';
  if (at != NULL && !parse_user (self, address, error))
    return NULL;
  has_password = self->password != NULL;
  host = at != NULL ? at + 1 : address;
  parts = g_strsplit (host, ";", -1);
  if (!parse_host (self, parts[0] != NULL ? parts[0] : "", error) ||
      (parts[0] != NULL && !parse_parameters (self, parts + 1, error)) ||
      (query != NULL && !parse_options (self, query + 1, error)) ||
      !check_place (self, has_password, error))
    return NULL;
  return g_steal_pointer (&self);
}

/* Also of one that cannot be parsed. */
gchar *
gst_ice_sip_uri_hide_password (const gchar *uri)
{
  const gchar *at = uri != NULL ? strrchr (uri, '@') : NULL;
  const gchar *scheme = uri != NULL ? strchr (uri, ':') : NULL;
  const gchar *colon = scheme != NULL ? strchr (scheme + 1, ':') : NULL;
  GString *shown = g_string_new (uri);
  gchar *option;

  if (at != NULL && colon != NULL && colon < at)
    g_string_erase (shown, colon - uri, at - colon);
  option = strstr (shown->str, "password=");
  if (option != NULL) {
    option += strlen ("password=");
    g_string_erase (shown, option - shown->str, strcspn (option, "&"));
  }
  if (uri != NULL)
    return g_string_free (shown, FALSE);
  g_string_free (shown, TRUE);
  return NULL;
}

static gchar *
make_uri (const GstIceSipPlace *self, const gchar *user)
{
  g_autofree gchar *port =
      self->port != 0 ? g_strdup_printf (":%u", self->port) : g_strdup ("");
  const gboolean plain = self->transport != NULL && !self->secure;

  return g_strdup_printf ("%s:%s%s%s%s%s%s", self->secure ? "sips" : "sip",
      user != NULL ? user : "", user != NULL ? "@" : "", self->host, port,
      plain ? ";transport=" : "", plain ? self->transport : "");
}

gchar *
gst_ice_sip_place_to_string (const GstIceSipPlace *self)
{
  return make_uri (self, self->user);
}

gchar *
gst_ice_sip_place_get_registrar (const GstIceSipPlace *self)
{
  return make_uri (self, NULL);
}

gchar *
gst_ice_sip_place_get_identity (const GstIceSipPlace *self)
{
  g_autofree gchar *user = NULL;

  if (self->listen)
    return self->user != NULL ? make_uri (self, self->user) : NULL;
  if (self->registers)
    return make_uri (self, self->user);
  if (self->username == NULL)
    return NULL;
  user = g_uri_escape_string (self->username, "!$&'()*+,;=", FALSE);
  return make_uri (self, user);
}

gchar *
gst_ice_sip_place_describe (const GstIceSipPlace *self)
{
  const gchar *transport = self->transport != NULL ? self->transport : "udp";
  g_autofree gchar *upper = NULL;

  /* RFC 3261 19.1.2: the ports that are meant where none is said. */
  upper = g_ascii_strup (self->secure ? "tls" : transport, -1);
  return g_strdup_printf ("%s:%u by %s", self->host,
      self->port != 0    ? self->port
          : self->secure ? 5061
                         : 5060,
      upper);
}
