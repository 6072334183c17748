/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What came of trying a TURN server: for people and for programs. */

#include "turn.h"

#include "json.h"

#define LOSS_LIMIT 1.0 /* percent */

static const gchar *const step_names[N_STEPS] = { "allocate", "permission",
  "channel", "echo" };

static gdouble
rtt_at (const Turn *self, gdouble part)
{
  return g_array_index (
      self->rtts, gdouble, (guint) (part * (self->rtts->len - 1)));
}

static gdouble
loss (const Turn *self)
{
  return self->n_sent ? 100.0 * (self->n_sent - self->rtts->len) / self->n_sent
                      : 100.0;
}

/* One packet may get lost anywhere. */
static gboolean
loses_packets (const Turn *self)
{
  return self->n_sent > self->rtts->len + 1 && loss (self) > LOSS_LIMIT;
}

gboolean
gst_ice_turn_succeeded (const Turn *self)
{
  return self->done[STEP_PERMISSION] && self->rtts->len > 0 &&
      !loses_packets (self);
}

/* One sentence: what works, and what to look at. */
static const gchar *
verdict (const Turn *self)
{
  if (!self->done[STEP_ALLOCATE])
    return self->error
        ? "No relay: see the error."
        : "No relay: the server has not answered. Check host and port, that it "
          "runs, and that no firewall is in the way; try ?transport=tcp or "
          "turns: where UDP is blocked.";
  if (!self->done[STEP_PERMISSION])
    return "The server gives relayed addresses, but nothing passes: its "
           "firewall has to let UDP to the relayed ports in (coturn: min-port "
           "to max-port), and where it is behind a NAT it has to know its "
           "address outside (coturn: external-ip).";
  if (self->rtts->len == 0)
    return "Checks pass, packets do not: a bandwidth limit of the server "
           "(coturn: max-bps), or of a network on the way.";
  if (loses_packets (self))
    return "The relay works, and loses packets: look for a bandwidth limit of "
           "the server, or try again with a lower --rate.";
  if (!self->done[STEP_CHANNEL])
    return "The relay works, but for channels: each packet costs 36 bytes "
           "instead of 4.";
  return "The relay works.";
}

void
gst_ice_turn_print_text (const Turn *self)
{
  static const gchar *const failed[N_STEPS] = { "no relayed address",
    "no check passes the relay", "no channel was bound",
    "no packet came back" };
  g_autofree gchar *software =
      self->software ? gst_ice_tool_printable (self->software) : NULL;

  g_print ("%s\n", self->url);
  if (software)
    g_print ("%-11s %s\n", "software", software);
  for (Step step = STEP_ALLOCATE; step <= STEP_CHANNEL; step++) {
    if (!self->done[step]) {
      g_print ("%-11s %10s  %s\n", step_names[step], "-", failed[step]);
      if (step != STEP_CHANNEL)
        break;
      continue;
    }
    g_print ("%-11s %7.1f ms", step_names[step], self->done_ms[step]);
    if (step == STEP_ALLOCATE)
      g_print ("  %s for %u s%s%s", self->relayed_address, self->lifetime,
          self->mapped_address ? ", we are seen at " : "",
          self->mapped_address ? self->mapped_address : "");
    g_print ("\n");
  }
  if (self->rtts->len > 0)
    g_print ("%-11s %7.1f ms  round trip, %.1f at best, %.1f at worst; %u of "
             "%u packets a second came back (%.1f %% lost)\n",
        "echo", rtt_at (self, 0.5), rtt_at (self, 0), rtt_at (self, 1),
        (guint) (self->rtts->len / self->options.seconds),
        (guint) self->options.rate, loss (self));
  else if (self->done[STEP_PERMISSION])
    g_print ("%-11s %10s  %s\n", "echo", "-", failed[STEP_ECHO]);
  if (self->error)
    g_print ("%-11s %u %s\n", "error", self->error_code, self->error);
  g_print ("\n%s\n", verdict (self));
}

void
gst_ice_turn_print_json (const Turn *self)
{
  GstIceToolJson json;

  gst_ice_tool_json_begin (&json);
  gst_ice_tool_json_string (&json, "url", self->url);
  gst_ice_tool_json_boolean (&json, "ok", gst_ice_turn_succeeded (self));
  gst_ice_tool_json_string (&json, "software", self->software);
  gst_ice_tool_json_string (&json, "relayed-address", self->relayed_address);
  gst_ice_tool_json_string (&json, "mapped-address", self->mapped_address);
  if (self->lifetime)
    gst_ice_tool_json_number (&json, "lifetime", self->lifetime, 0);
  gst_ice_tool_json_open (&json, "steps", '{');
  for (Step step = STEP_ALLOCATE; step <= STEP_CHANNEL; step++)
    if (self->done[step])
      gst_ice_tool_json_number (
          &json, step_names[step], self->done_ms[step] / 1000, 4);
  gst_ice_tool_json_close (&json, '{');
  gst_ice_tool_json_open (&json, "echo", '{');
  gst_ice_tool_json_number (&json, "sent", self->n_sent, 0);
  gst_ice_tool_json_number (&json, "received", self->rtts->len, 0);
  gst_ice_tool_json_number (&json, "loss", loss (self) / 100, 4);
  if (self->rtts->len > 0) {
    gst_ice_tool_json_number (&json, "rtt-min", rtt_at (self, 0) / 1000, 6);
    gst_ice_tool_json_number (
        &json, "rtt-median", rtt_at (self, 0.5) / 1000, 6);
    gst_ice_tool_json_number (&json, "rtt-max", rtt_at (self, 1) / 1000, 6);
  }
  gst_ice_tool_json_close (&json, '{');
  if (self->error) {
    gst_ice_tool_json_open (&json, "error", '{');
    gst_ice_tool_json_number (&json, "code", self->error_code, 0);
    gst_ice_tool_json_string (&json, "text", self->error);
    gst_ice_tool_json_close (&json, '{');
  }
  gst_ice_tool_json_string (&json, "verdict", verdict (self));
  gst_ice_tool_json_end (&json);
}
