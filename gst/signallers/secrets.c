/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "secrets.h"

#include <string.h>

/* What signallers have that anybody may see. Of others, tokens and whatever
 * was misspelled, only the name is shown. */
static gboolean
is_public (const gchar *parameter)
{
  static const gchar *const names[] = { "ca-file", "cert", "dialect",
    "fingerprint", "form", "id", "insecure", "key", "listen", "peer", "peer-id",
    "register", "role", "room", "tls", "transport", "user" };
  const gsize size = strcspn (parameter, "=");
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (names); i++)
    if (size == strlen (names[i]) && strncmp (parameter, names[i], size) == 0)
      return TRUE;
  return FALSE;
}

static void
append_query (GString *shown, const gchar *query, gsize size)
{
  g_autofree gchar *text = g_strndup (query, size);
  g_auto (GStrv) parameters = g_strsplit_set (text, "&;", -1);
  guint i;

  for (i = 0; parameters[i] != NULL; i++) {
    if (!is_public (parameters[i]))
      parameters[i][strcspn (parameters[i], "=")] = '\0';
    g_string_append_printf (shown, "%c%s", i == 0 ? '?' : '&', parameters[i]);
  }
}

/* "//USER:PASSWORD@HOST/PATH", or as SIP has it "USER:PASSWORD@HOST". The last
 * "@" counts: passwords come unescaped, too. */
static void
append_place (GString *shown, const gchar *place, gsize size)
{
  const gsize slashes = size >= 2 && strncmp (place, "//", 2) == 0 ? 2 : 0;
  const gchar *at = g_strrstr_len (place, (gssize) size, "@");
  const gchar *colon = at != NULL
      ? memchr (place + slashes, ':', (gsize) (at - place) - slashes)
      : NULL;

  /* A file may have any name. */
  if (colon == NULL || place[slashes] == '/') {
    g_string_append_len (shown, place, (gssize) size);
    return;
  }
  g_string_append_len (shown, place, colon - place);
  g_string_append_len (shown, at, (gssize) (size - (gsize) (at - place)));
}

/* (nullable) the end of the user in "//USER:PASS?WORD@HOST": what stands where
 * a port would is none, so all from there on may be the password. */
static const gchar *
find_unescaped (const gchar *place, gsize size)
{
  const gboolean has_slashes = g_str_has_prefix (place, "//");
  const gchar *host = place + (has_slashes ? 2 : 0);
  const gchar *colon = host + strcspn (host, ":/?#");

  /* "[::1]" has colons of its own. */
  if (*colon != ':' || *host == '[' ||
      g_strstr_len (place, (gssize) size, "@") != NULL ||
      strchr (place + size, '@') == NULL)
    return NULL;
  return strchr ("/;?#", colon[1 + strspn (colon + 1, "0123456789")]) != NULL
      ? NULL
      : colon;
}

gchar *
gst_ice_hide_uri_secrets (const gchar *uri)
{
  g_autofree gchar *scheme = uri != NULL ? g_uri_parse_scheme (uri) : NULL;
  GString *shown;
  const gchar *place, *user_end;
  gsize size;

  if (scheme == NULL)
    return g_strdup (uri);
  place = uri + strlen (scheme) + 1;
  size = strcspn (place, "?#");
  user_end =
      g_str_equal (scheme, "ice+file") ? NULL : find_unescaped (place, size);
  if (user_end != NULL)
    return g_strndup (uri, (gsize) (user_end - uri));
  shown = g_string_new_len (uri, place - uri);
  append_place (shown, place, size);
  if (place[size] == '?')
    append_query (shown, place + size + 1, strcspn (place + size + 1, "#"));
  return g_string_free (shown, FALSE);
}
