/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticeagent-private.h"
#include "gsticeerror.h"

/**
 * gst_ice_agent_add_server_with_token:
 * @self: an agent
 * @uri: `turn:HOST[:PORT][?transport=udp]`, as for gst_ice_agent_add_server()
 * @key_id: the identifier of the key, which the TURN server is told as the user
 *   name
 * @token: the access token, as it is, not in base64
 * @mac_key: the key that the authorization server gave with it, as it is
 * @lifetime: seconds the token is good for from now on; 0 when it is not known
 * @error: return location for an error
 *
 * Adds a TURN server that takes the tokens of an authorization server in place
 * of passwords (RFC 7635). The token is sent when the server asks for one
 * (THIRD-PARTY-AUTHORIZATION in its 401) and the key signs the requests.
 *
 * #GstIceAgent::credentials-needed is emitted a minute before the token
 * expires, and when the server does not take it; calling this again with the
 * same @uri then replaces it without losing the allocation. The key is never
 * read back or logged.
 *
 * Errors: %GST_ICE_ERROR_INVALID_URI, %GST_ICE_ERROR_INVALID_ARGUMENT for a
 * token or key that is empty or too long, or a server that is no TURN server,
 * %GST_ICE_ERROR_CLOSED.
 *
 * Returns: %TRUE when the server is going to be used
 */
gboolean
gst_ice_agent_add_server_with_token (GstIceAgent *self, const gchar *uri,
    const gchar *key_id, GBytes *token, GBytes *mac_key, guint lifetime,
    GError **error)
{
  g_autoptr (GstIceServer) server = NULL;

  g_return_val_if_fail (GST_IS_ICE_AGENT (self), FALSE);
  g_return_val_if_fail (uri != NULL, FALSE);
  g_return_val_if_fail (key_id != NULL, FALSE);
  g_return_val_if_fail (token != NULL, FALSE);
  g_return_val_if_fail (mac_key != NULL, FALSE);

  if (!gst_ice_agent_check_open (self, error))
    return FALSE;
  server = gst_ice_server_new (uri, key_id, NULL, error);
  if (server == NULL)
    return FALSE;
  if (server->kind != ICE_SERVER_TURN) {
    g_set_error_literal (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_ARGUMENT,
        "Only a TURN server takes a token: write turn:HOST[:PORT]");
    return FALSE;
  }
  if (!gst_ice_server_set_token (server, token, mac_key, lifetime, error))
    return FALSE;
  gst_ice_agent_take_server (self, g_steal_pointer (&server));
  return TRUE;
}
