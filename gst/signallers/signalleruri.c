/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "signalleruri.h"

#include "filesignaller.h"
#include "stdiosignaller.h"

static gboolean
take_role (const gchar *value, GstIceSignallerRole *role, GError **error)
{
  if (g_str_equal (value, "offer")) {
    *role = GST_ICE_SIGNALLER_ROLE_OFFER;
  } else if (g_str_equal (value, "answer")) {
    *role = GST_ICE_SIGNALLER_ROLE_ANSWER;
  } else if (!g_str_equal (value, "auto")) {
    g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_URI,
        "“role=%s” is not role=offer, role=answer or role=auto", value);
    return FALSE;
  }
  return TRUE;
}

static gboolean
take_form (const gchar *value, gboolean *by_line, GError **error)
{
  if (!g_str_equal (value, "line") && !g_str_equal (value, "lines")) {
    g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_URI,
        "“form=%s” is neither form=line, a line to paste, nor form=lines",
        value);
    return FALSE;
  }
  *by_line = g_str_equal (value, "line");
  return TRUE;
}

static gboolean
parse_query (const gchar *query, GstIceSignallerRole *role, gboolean *by_line,
    GError **error)
{
  g_autoptr (GHashTable) params =
      g_uri_parse_params (query, -1, "&", G_URI_PARAMS_NONE, error);
  GHashTableIter iter;
  gpointer name, value;

  if (params == NULL)
    return FALSE;
  g_hash_table_iter_init (&iter, params);
  while (g_hash_table_iter_next (&iter, &name, &value)) {
    if (by_line != NULL && g_str_equal (name, "form")) {
      if (!take_form (value, by_line, error))
        return FALSE;
      continue;
    }
    if (!g_str_equal (name, "role")) {
      g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_URI,
          "The URI has an unknown parameter “%s”; there is role=offer and "
          "role=answer%s",
          (const gchar *) name, by_line != NULL ? ", and form=line" : "");
      return FALSE;
    }
    if (!take_role (value, role, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
gst_ice_signaller_uri_parse (const gchar *uri, const gchar *scheme,
    gchar **ret_path, GstIceSignallerRole *role, gboolean *by_line,
    GError **error)
{
  g_autoptr (GUri) parsed = NULL;
  const gchar *host;

  if (uri == NULL) {
    g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_URI,
        "No meeting place: set “uri”, as %s:///tmp/call", scheme);
    return FALSE;
  }
  parsed = g_uri_parse (uri, G_URI_FLAGS_NONE, NULL);
  if (parsed == NULL || !g_str_equal (g_uri_get_scheme (parsed), scheme)) {
    g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_URI,
        "“%s” is not a %s: URI", uri, scheme);
    return FALSE;
  }
  host = g_uri_get_host (parsed);
  if (host != NULL && *host != '\0' && !g_str_equal (host, "localhost")) {
    g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_URI,
        "“%s” names the host “%s”, but files are on this one: write three "
        "slashes, as %s:///tmp/call",
        uri, host, scheme);
    return FALSE;
  }
  if (g_uri_get_query (parsed) != NULL &&
      !parse_query (g_uri_get_query (parsed), role, by_line, error))
    return FALSE;
  *ret_path = g_strdup (g_uri_get_path (parsed));
  return TRUE;
}

void
gst_ice_signallers_register (void)
{
  static const gchar *const file[] = { "ice+file", NULL };
  static const gchar *const stdio[] = { "ice+stdio", NULL };

  gst_ice_signaller_register ("file", file, GST_TYPE_ICE_FILE_SIGNALLER);
  gst_ice_signaller_register ("stdio", stdio, GST_TYPE_ICE_STDIO_SIGNALLER);
}
