/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The client of RFC 6062 against a server that does what a script wants, on the
 * control connection and on those for data, whose bytes come in any pieces.
 * The tables stay within their bounds, and nothing is endless. */
#include "../core/tcp-turn-lab.h"

#include "mend.h"
#include "script.h"
#include "target.h"

#define MAX_STEPS 60
#define BODY_MAX 96
#define MAX_CONNECTIONS 64
/* More than one step can say: all of them end. */
#define MAX_EVENTS (MAX_CONNECTIONS + 8)

typedef enum
{
  STEP_EXCHANGE,
  STEP_ERROR,
  STEP_TIMER,
  STEP_TIME,
  STEP_CONNECT,
  STEP_PERMIT,
  STEP_ATTEMPT,
  STEP_OPENED,
  STEP_CLOSED,
  STEP_DISCONNECT,
  STEP_STREAM,
  STEP_CONTROL,
  STEP_RELEASE,
  N_STEPS,
} Step;

static guint
count_events (const Lab *lab)
{
  guint n = 0;

  for (guint i = 0; i < G_N_ELEMENTS (lab->n_events); i++)
    n += lab->n_events[i];
  return n;
}

static IceAddress
pick_peer (Script *in)
{
  const guint choice = script_u8 (in);
  gchar ip[32];

  if (choice >= 0xe0)
    return script_address (in);
  g_snprintf (ip, sizeof ip, "192.0.2.%u", 1 + (choice & 3));
  return address (ip, (guint16) (choice >> 2));
}

/* One that is there, or was, or never will be. */
static guint
pick_connection (const Lab *lab, Script *in)
{
  return script_u8 (in) % (lab->allocation->next_id + 2);
}

/* An attribute of no meaning, comprehension required or not. */
static guint16
pick_unknown (Script *in)
{
  const guint choice = script_u8 (in);

  return (guint16) ((choice & 1 ? 0x7a00 : 0xfa00) | choice);
}

/* One method answered otherwise from now on. */
static void
step_error (Lab *lab, Script *in)
{
  static const guint16 codes[] = { 0, 401, 438, 437, 446, 447, 403, 400, 500,
    300, 699 };
  const guint flags = script_u8 (in);

  lab->server.error[flags & 15] = codes[script_u8 (in) % G_N_ELEMENTS (codes)];
  lab->server.unsigned_answers = (flags & 16) != 0;
  lab->server.extra_attribute = flags & 32 ? pick_unknown (in) : 0;
  lab->server.connection_id = flags & 64 ? script_u16 (in) : 1000;
  lab->byte_by_byte = (flags & 128) != 0;
}

static void
step_attempt (Lab *lab, Script *in)
{
  const guint flags = script_u8 (in);
  const IceAddress peer = pick_peer (in);
  g_autoptr (IcePacket) packet = attempt (flags & 1 ? NULL : &peer,
      script_u8 (in), flags & 2 ? pick_unknown (in) : 0);

  control (lab, packet);
}

static void
step_stream (Lab *lab, Script *in)
{
  const guint id = pick_connection (lab, in);
  const IceBytes bytes = script_bytes (in, script_u8 (in) % BODY_MAX);

  if (id != 0)
    read_some (lab, id, bytes);
}

/* Any message on the control connection, as an answer to what waits there. */
static void
step_control (Lab *lab, Script *in)
{
  const guint flags = script_u8 (in);
  const IceBytes bytes = script_bytes (in, script_u8 (in) % BODY_MAX);
  g_autoptr (IceStunKey) key = fake_turn_key (&lab->server);
  guint8 packet[BODY_MAX + 64];
  IceStunMessage message;
  gsize size = bytes.size;

  if (size < ICE_STUN_HEADER_SIZE)
    return;
  memcpy (packet, bytes.data, size);
  size = mend_header (packet, size);
  memset (packet + 8, flags & 1 ? dice : script_u8 (in), ICE_STUN_ID_SIZE);
  mend_attributes (packet, size);
  if (flags & 2)
    size = mend_integrity (
        packet, size, sizeof packet, key, ICE_STUN_INTEGRITY_SHA1);
  if (ice_stun_message_parse (&message, ICE_BYTES (packet, size)))
    ice_tcp_allocation_receive (lab->allocation, &message, lab->now);
}

static void
step_time (Lab *lab, Script *in, gboolean to_deadline)
{
  const IceTime deadline = ice_tcp_allocation_deadline (lab->allocation);

  if (to_deadline && deadline != ICE_TIME_NEVER)
    lab->now = MAX (lab->now, deadline);
  else
    lab->now += script_u16 (in) * 10 * ICE_MSEC;
  ice_tcp_allocation_timeout (lab->allocation, lab->now);
  /* Each timer that is due is taken; a few follow another. */
  for (guint i = 0; ice_tcp_allocation_deadline (lab->allocation) <= lab->now;
       i++) {
    g_assert_cmpuint (i, <, 4);
    ice_tcp_allocation_timeout (lab->allocation, lab->now);
  }
}

static void
run_step (Lab *lab, Script *in)
{
  IceAddress peer;

  switch ((Step) (script_u8 (in) % N_STEPS)) {
    case STEP_ERROR:
      step_error (lab, in);
      break;
    case STEP_TIMER:
      step_time (lab, in, TRUE);
      break;
    case STEP_TIME:
      step_time (lab, in, FALSE);
      break;
    case STEP_CONNECT:
      peer = pick_peer (in);
      ice_tcp_allocation_connect (lab->allocation, &peer, lab->now);
      break;
    case STEP_PERMIT:
      peer = pick_peer (in);
      ice_tcp_allocation_permit (lab->allocation, &peer, lab->now);
      break;
    case STEP_ATTEMPT:
      step_attempt (lab, in);
      break;
    case STEP_OPENED:
      ice_tcp_allocation_opened (
          lab->allocation, pick_connection (lab, in), lab->now);
      break;
    case STEP_CLOSED:
      ice_tcp_allocation_closed (lab->allocation, pick_connection (lab, in));
      break;
    case STEP_DISCONNECT:
      ice_tcp_allocation_disconnect (
          lab->allocation, pick_connection (lab, in));
      break;
    case STEP_STREAM:
      step_stream (lab, in);
      break;
    case STEP_CONTROL:
      step_control (lab, in);
      break;
    case STEP_RELEASE:
      ice_tcp_allocation_release (lab->allocation, lab->now);
      break;
    default:
      exchange (lab);
      break;
  }
  note_events (lab);
}

static void
check (const Lab *lab, guint n_events_before)
{
  const IceTcpAllocation *allocation = lab->allocation;

  g_assert_cmpuint (allocation->connections->len, <=, MAX_CONNECTIONS);
  g_assert_cmpuint (count_events (lab) - n_events_before, <=, MAX_EVENTS);
  if (allocation->allocation->state == ICE_ALLOCATION_GONE)
    g_assert_cmpuint (allocation->connections->len, ==, 0);
  for (guint i = 0; i < allocation->connections->len; i++) {
    const IceTcpConnection *connection =
        g_ptr_array_index (allocation->connections, i);

    g_assert_true (ice_address_is_usable (&connection->peer));
  }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  Script in = { .at = data, .left = size };
  Lab lab;

  dice = 0;
  lab_init (&lab);
  ice_tcp_allocation_request (lab.allocation, lab.now);
  for (guint i = 0; i < MAX_STEPS && in.left > 0; i++) {
    const guint n_events = count_events (&lab);

    run_step (&lab, &in);
    check (&lab, n_events);
  }
  lab_clear (&lab);
  return 0;
}
