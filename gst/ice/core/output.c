/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "output.h"

#include "purity.h"

static void
output_clear (IceOutput *self)
{
  switch (self->type) {
    case ICE_OUTPUT_TRANSMIT:
      ice_packet_unref (self->transmit.packet);
      break;
    case ICE_OUTPUT_RESOLVE:
      g_free (self->resolve.host);
      break;
    case ICE_OUTPUT_PUBLISH:
      g_free (self->publish.name);
      break;
    case ICE_OUTPUT_WITHDRAW:
      g_free (self->withdraw.name);
      break;
    case ICE_OUTPUT_CONNECT:
      g_free (self->connect.server);
      break;
    case ICE_OUTPUT_DELIVER:
      ice_packet_unref (self->deliver.payload);
      break;
    case ICE_OUTPUT_LOCAL_CANDIDATE:
    case ICE_OUTPUT_REMOTE_CANDIDATE:
      ice_candidate_unref (self->candidate.candidate);
      break;
    case ICE_OUTPUT_PAIR_SELECTED:
      ice_candidate_unref (self->pair_selected.local);
      ice_candidate_unref (self->pair_selected.remote);
      break;
    case ICE_OUTPUT_SERVER_ERROR:
    case ICE_OUTPUT_SERVER_OK:
    case ICE_OUTPUT_CREDENTIALS_NEEDED:
      g_free (self->server.text);
      break;
    case ICE_OUTPUT_ERROR:
      g_free (self->error.text);
      break;
    case ICE_OUTPUT_OPEN_SOCKET:
    case ICE_OUTPUT_CLOSE_SOCKET:
    case ICE_OUTPUT_MAP_PORT:
    case ICE_OUTPUT_ACCEPT_FROM:
    case ICE_OUTPUT_ROUTE:
    case ICE_OUTPUT_GATHERED:
    case ICE_OUTPUT_END_OF_CANDIDATES:
    case ICE_OUTPUT_STATE:
    case ICE_OUTPUT_ROLE:
    case ICE_OUTPUT_FIRST_CHECK:
    case ICE_OUTPUT_CONSENT_LOST:
    case ICE_OUTPUT_RESTART_NEEDED:
    case ICE_OUTPUT_PATH_MTU:
      break;
  }
}

void
ice_output_free (IceOutput *self)
{
  while (self) {
    IceOutput *next = self->next;

    output_clear (self);
    g_free (self);
    self = next;
  }
}

void
ice_outputs_init (IceOutputs *self)
{
  self->first = NULL;
  self->end = &self->first;
}

void
ice_outputs_clear (IceOutputs *self)
{
  ice_output_free (ice_outputs_steal (self));
}

IceOutput *
ice_outputs_steal (IceOutputs *self)
{
  IceOutput *list = self->first;

  ice_outputs_init (self);
  return list;
}

IceOutput *
ice_outputs_add (IceOutputs *self, IceOutputType type)
{
  IceOutput *output = g_new0 (IceOutput, 1);

  output->type = type;
  *self->end = output;
  self->end = &output->next;
  return output;
}

void
ice_outputs_transmit (
    IceOutputs *self, guint socket, const IceAddress *to, IcePacket *packet)
{
  IceOutput *output = ice_outputs_add (self, ICE_OUTPUT_TRANSMIT);

  output->transmit.socket = socket;
  output->transmit.to = *to;
  output->transmit.packet = ice_packet_ref (packet);
}

const gchar *
ice_state_to_string (IceState state)
{
  switch (state) {
    case ICE_STATE_NEW:
      return "new";
    case ICE_STATE_CHECKING:
      return "checking";
    case ICE_STATE_CONNECTED:
      return "connected";
    case ICE_STATE_COMPLETED:
      return "completed";
    case ICE_STATE_DISCONNECTED:
      return "disconnected";
    case ICE_STATE_FAILED:
      return "failed";
    case ICE_STATE_CLOSED:
    default:
      return "closed";
  }
}

const gchar *
ice_cause_to_string (IceCause cause)
{
  switch (cause) {
    case ICE_CAUSE_NO_LOCAL_CANDIDATES:
      return "no-local-candidates";
    case ICE_CAUSE_NO_REMOTE_CANDIDATES:
      return "no-remote-candidates";
    case ICE_CAUSE_ALL_CHECKS_FAILED:
      return "all-checks-failed";
    case ICE_CAUSE_TURN_AUTH:
      return "turn-auth";
    case ICE_CAUSE_TLS_UNTRUSTED:
      return "tls-untrusted";
    case ICE_CAUSE_CONSENT_EXPIRED:
      return "consent-expired";
    case ICE_CAUSE_RESOURCE:
      return "resource";
    case ICE_CAUSE_NONE:
    default:
      return "none";
  }
}

const gchar *
ice_restart_reason_to_string (IceRestartReason reason)
{
  static const gchar *const names[] = { "path-silent", "path-lost",
    "address-lost", "rebound", "address-new" };

  return names[reason];
}
