/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What somebody typed for a STUN or TURN server: read or refused, the password
 * is never shown, and what we write of it reads the same. */
#include "gst/ice/gsticeserver-private.h"

#include "target.h"

#include <string.h>

/* What is shown is the same as if nobody had named a user. */
static void
check_secret (const gchar *uri, const gchar *shown, const GstIceServer *self)
{
  const gchar *at = strrchr (uri, '@');
  const gchar *rest = strchr (uri, ':') + 1;
  g_autofree gchar *bare = NULL;
  g_autofree gchar *bare_shown = NULL;
  g_autoptr (GstIceServer) other = NULL;

  if (!at)
    return;
  rest += g_str_has_prefix (rest, "//") ? 2 : 0;
  bare = g_strdup_printf ("%.*s%s", (gint) (rest - uri), uri, at + 1);
  bare_shown = gst_ice_server_redact (bare);
  g_assert_cmpstr (shown, ==, bare_shown);
  other = gst_ice_server_new (bare, NULL, NULL, NULL);
  g_assert_nonnull (other);
  g_assert_cmpstr (self->url, ==, other->url);
  g_assert_null (other->password);
}

static void
check_again (const GstIceServer *self)
{
  g_autofree gchar *shown = gst_ice_server_to_string (self);
  g_autoptr (GstIceServer) again = NULL;
  g_autoptr (GError) error = NULL;

  again = gst_ice_server_new (shown, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (again->url, ==, self->url);
  g_assert_cmpstr (again->host, ==, self->host);
  g_assert_cmpstr (again->username, ==, self->username);
  g_assert_cmpint (again->port, ==, self->port);
  g_assert_cmpint (again->kind, ==, self->kind);
  g_assert_null (again->password);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree gchar *uri = g_strndup (size ? (const gchar *) data : "", size);
  g_autofree gchar *shown = NULL;
  g_autoptr (GstIceServer) self = NULL;
  g_autoptr (GError) error = NULL;
  IceServerConfig config;

  /* A user types text, and bindings refuse anything else. */
  if (!g_utf8_validate (uri, -1, NULL))
    return 0;
  shown = gst_ice_server_redact (uri);
  self = gst_ice_server_new (uri, NULL, NULL, &error);
  g_assert_cmpint (self == NULL, ==, error != NULL);
  if (!self) {
    g_assert_true (g_utf8_validate (error->message, -1, NULL));
    return 0;
  }
  g_assert_cmpint (self->port, !=, 0);
  g_assert_cmpuint (strlen (self->host), <=, 255);
  check_secret (uri, shown, self);
  config = gst_ice_server_to_config (self);
  g_assert_cmpstr (config.host, ==, self->host);
  check_again (self);
  return 0;
}
