/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim-net.h"

gchar *
sim_describe (IceBytes data)
{
  static const gchar *const classes[] = { "request", "indication", "success",
    "error" };
  static const gchar *const methods[] = { "?", "Binding", "?", "Allocate",
    "Refresh", "?", "Send", "Data", "CreatePermission", "ChannelBind" };
  IceStunMessage message;
  IceBytes reason;
  guint code = 0;

  if (data.size && data.data[0] >= 0x40 && data.data[0] <= 0x4f)
    return g_strdup_printf ("ChannelData, %u bytes", (guint) data.size);
  if (!ice_stun_looks_like (data) || !ice_stun_message_parse (&message, data))
    return g_strdup_printf ("media, %u bytes", (guint) data.size);
  if (message.klass == ICE_STUN_ERROR)
    ice_stun_message_get_error (&message, &code, &reason);
  return g_strdup_printf ("%s %s%s %02x%02x%02x %.0u",
      message.method < G_N_ELEMENTS (methods) ? methods[message.method] : "?",
      classes[message.klass],
      ice_stun_message_has (&message, ICE_STUN_USE_CANDIDATE) ? " USE-CANDIDATE"
                                                              : "",
      message.id[0], message.id[1], message.id[2], code);
}
