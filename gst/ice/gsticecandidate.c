/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsticecandidate-private.h"
#include "gsticeerror.h"

/**
 * SECTION:gsticecandidate
 * @title: GstIceCandidate
 * @short_description: an address at which an agent may be reached
 *
 * A candidate is a transport address that one side offers to the other
 * (RFC 8445 5.1). It is immutable: any thread may hold and read it.
 */

/**
 * GstIceCandidate:
 *
 * An immutable, reference counted candidate.
 */
struct _GstIceCandidate
{
  gatomicrefcount ref_count;
  IceCandidate *core;     /* (owned) */
  gchar *address;         /* (owned) IP, or the name of an mDNS candidate */
  gchar *related_address; /* (owned) (nullable) */
};

G_DEFINE_BOXED_TYPE (GstIceCandidate, gst_ice_candidate, gst_ice_candidate_ref,
    gst_ice_candidate_unref)

static gchar *
dup_ip (const IceAddress *address)
{
  gchar buffer[ICE_ADDRESS_STRLEN];

  if (address->family == ICE_FAMILY_NONE)
    return NULL;
  return g_strdup (ice_address_ip_to_string (address, buffer));
}

GstIceCandidate *
gst_ice_candidate_new_from_core (IceCandidate *core)
{
  GstIceCandidate *self = g_new0 (GstIceCandidate, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->core = ice_candidate_ref (core);
  self->address =
      core->host_name ? g_strdup (core->host_name) : dup_ip (&core->address);
  self->related_address = dup_ip (&core->related);
  return self;
}

IceCandidate *
gst_ice_candidate_peek_core (const GstIceCandidate *self)
{
  return self->core;
}

GPtrArray *
gst_ice_candidates_set_ufrag (GPtrArray *candidates, const gchar *ufrag)
{
  for (guint i = 0; i < candidates->len; i++) {
    IceCandidate *candidate = candidates->pdata[i];

    if (candidate->ufrag)
      continue;
    candidates->pdata[i] = ice_candidate_copy (candidate);
    ice_candidate_unref (candidate);
    candidate = candidates->pdata[i];
    candidate->ufrag = g_strdup (ufrag);
  }
  return candidates;
}

GPtrArray *
gst_ice_candidates_from_core (const GPtrArray *candidates)
{
  GPtrArray *ret =
      g_ptr_array_new_with_free_func ((GDestroyNotify) gst_ice_candidate_unref);

  for (guint i = 0; i < candidates->len; i++)
    g_ptr_array_add (
        ret, gst_ice_candidate_new_from_core (candidates->pdata[i]));
  return ret;
}

/**
 * gst_ice_candidate_new_from_sdp: (constructor)
 * @candidate: a candidate line; `a=candidate:...`, `candidate:...` (as W3C
 *   writes it) and the bare value are all understood
 * @error: return location for an error
 *
 * Parses RFC 8839 section 5.1 and, for TCP, RFC 6544 section 4.5.
 *
 * Errors: %GST_ICE_ERROR_INVALID_CANDIDATE when the line is not the grammar,
 * %GST_ICE_ERROR_NOT_SUPPORTED when it is, but of a transport or kind nobody
 * here can use; such a candidate from a peer is best ignored.
 *
 * Returns: (transfer full): the candidate, or %NULL with @error set
 */
GstIceCandidate *
gst_ice_candidate_new_from_sdp (const gchar *candidate, GError **error)
{
  g_autoptr (IceCandidate) core = NULL;
  const gchar *reason = "";

  g_return_val_if_fail (candidate != NULL, NULL);

  switch (ice_candidate_parse (candidate, &core, &reason)) {
    case ICE_CANDIDATE_PARSE_OK:
      return gst_ice_candidate_new_from_core (core);
    case ICE_CANDIDATE_PARSE_IGNORED:
      g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_NOT_SUPPORTED,
          "The candidate cannot be used here (%s)", reason);
      return NULL;
    case ICE_CANDIDATE_PARSE_MALFORMED:
      break;
  }
  g_set_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_CANDIDATE,
      "Not a candidate line of RFC 8839 5.1 (%s)", reason);
  return NULL;
}

/**
 * gst_ice_candidate_ref: (skip)
 * @self: a candidate
 *
 * Returns: (transfer full): @self
 */
GstIceCandidate *
gst_ice_candidate_ref (GstIceCandidate *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

/**
 * gst_ice_candidate_unref: (skip)
 * @self: (transfer full): a candidate
 */
void
gst_ice_candidate_unref (GstIceCandidate *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  ice_candidate_unref (self->core);
  g_free (self->address);
  g_free (self->related_address);
  g_free (self);
}

/**
 * gst_ice_candidate_to_sdp:
 * @self: a candidate
 *
 * Returns: (transfer full): `candidate:...` as W3C's RTCIceCandidate has it,
 *   without `a=`
 */
gchar *
gst_ice_candidate_to_sdp (const GstIceCandidate *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return ice_candidate_to_sdp (self->core);
}

/**
 * gst_ice_candidate_get_kind:
 * @self: a candidate
 *
 * Returns: how the address was learnt
 */
GstIceCandidateKind
gst_ice_candidate_get_kind (const GstIceCandidate *self)
{
  g_return_val_if_fail (self != NULL, GST_ICE_CANDIDATE_KIND_HOST);

  switch (self->core->kind) {
    case ICE_CANDIDATE_HOST:
      return GST_ICE_CANDIDATE_KIND_HOST;
    case ICE_CANDIDATE_SERVER_REFLEXIVE:
      return GST_ICE_CANDIDATE_KIND_SERVER_REFLEXIVE;
    case ICE_CANDIDATE_PEER_REFLEXIVE:
      return GST_ICE_CANDIDATE_KIND_PEER_REFLEXIVE;
    case ICE_CANDIDATE_RELAYED:
      break;
  }
  return GST_ICE_CANDIDATE_KIND_RELAYED;
}

/**
 * gst_ice_candidate_get_protocol:
 * @self: a candidate
 *
 * Returns: `udp` or `tcp`
 */
const gchar *
gst_ice_candidate_get_protocol (const GstIceCandidate *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->core->protocol == ICE_PROTOCOL_TCP ? "tcp" : "udp";
}

/**
 * gst_ice_candidate_get_address:
 * @self: a candidate
 *
 * Returns: (nullable): the IP address, or the `.local` name that hides it
 */
const gchar *
gst_ice_candidate_get_address (const GstIceCandidate *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->address;
}

/**
 * gst_ice_candidate_get_port:
 * @self: a candidate
 *
 * Returns: the port
 */
guint
gst_ice_candidate_get_port (const GstIceCandidate *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->core->address.port;
}

/**
 * gst_ice_candidate_get_component:
 * @self: a candidate
 *
 * Returns: 1 for RTP, or everything with rtcp-mux; 2 for RTCP
 */
guint
gst_ice_candidate_get_component (const GstIceCandidate *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->core->component;
}

/**
 * gst_ice_candidate_get_priority:
 * @self: a candidate
 *
 * Returns: the priority of RFC 8445 5.1.2
 */
guint32
gst_ice_candidate_get_priority (const GstIceCandidate *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->core->priority;
}

/**
 * gst_ice_candidate_get_foundation:
 * @self: a candidate
 *
 * Returns: the foundation (RFC 8445 5.1.1.3): equal for candidates of one kind,
 *   base and server
 */
const gchar *
gst_ice_candidate_get_foundation (const GstIceCandidate *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->core->foundation;
}

/**
 * gst_ice_candidate_get_related_address:
 * @self: a candidate
 *
 * Returns: (nullable): what a reflexive candidate was mapped from, or what the
 *   TURN server saw for a relayed one; %NULL when not said
 */
const gchar *
gst_ice_candidate_get_related_address (const GstIceCandidate *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->related_address;
}

/**
 * gst_ice_candidate_get_related_port:
 * @self: a candidate
 *
 * Returns: the port of the related address, 0 when not said
 */
guint
gst_ice_candidate_get_related_port (const GstIceCandidate *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->core->related.port;
}

/**
 * gst_ice_candidate_get_tcp_type:
 * @self: a candidate
 *
 * Returns: (nullable): `active`, `passive` or `so` (RFC 6544); %NULL for UDP
 */
const gchar *
gst_ice_candidate_get_tcp_type (const GstIceCandidate *self)
{
  static const gchar *const names[] = { NULL, "active", "passive", "so" };

  g_return_val_if_fail (self != NULL, NULL);

  return names[self->core->tcp_type];
}

/**
 * gst_ice_candidate_get_relay_protocol:
 * @self: a candidate
 *
 * Returns: (nullable): how the TURN server is spoken to: `udp`, `tcp` or `tls`;
 *   %NULL for what is not relayed, or not ours
 */
const gchar *
gst_ice_candidate_get_relay_protocol (const GstIceCandidate *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->core->relay_protocol;
}

/**
 * gst_ice_candidate_get_url:
 * @self: a candidate
 *
 * Returns: (nullable): the server it came from, without secrets; %NULL for host
 *   candidates and for the peer's
 */
const gchar *
gst_ice_candidate_get_url (const GstIceCandidate *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->core->url;
}

/**
 * gst_ice_candidate_get_ufrag:
 * @self: a candidate
 *
 * Returns: (nullable): the username fragment of the generation it belongs to,
 *   %NULL when not said
 */
const gchar *
gst_ice_candidate_get_ufrag (const GstIceCandidate *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->core->ufrag;
}
