/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* a=alt, how the ICE drafts before 2004 wrote candidates in SIP, and some SIP
 * phones do to this day:
 *
 *   a=alt:1 0.8 : user pass 192.0.2.1 5000 192.0.2.1 5001
 *   a=alt:2 0.4 1 : user pass 198.51.100.1 6000
 *
 * an id, a preference between 0 and 1 (or a rank: some count up), the id it was
 * derived from, then credentials, the address of RTP and perhaps that of RTCP.
 * The credentials belong to a check that nobody speaks any more. */
#include "candidate.h"

#include <string.h>

#include "../purity.h"

#define LINE_MAX_SIZE 512
/* Words before and after the colon. */
#define HEAD_MIN 2
#define HEAD_MAX 3
#define TAIL_MIN 4
#define TAIL_MAX 6

/* 0.0 to 1.0, or a rank, as thousandths; bounded. */
static gboolean
parse_preference (const gchar *word, guint *ret_thousandths)
{
  guint scale = 1000;
  guint64 value = 0;
  gboolean digits = FALSE, fraction = FALSE;

  for (const gchar *p = word; *p; p++) {
    if (*p == '.' && !fraction) {
      fraction = TRUE;
    } else if (g_ascii_isdigit (*p) && p - word < 12) {
      digits = TRUE;
      if (!fraction)
        value = value * 10 + 1000 * (guint64) g_ascii_digit_value (*p);
      else
        value += (scale /= 10) * (guint64) g_ascii_digit_value (*p);
    } else {
      return FALSE;
    }
  }
  *ret_thousandths = (guint) MIN (value, 65535);
  return digits;
}

static gboolean
parse_address (const gchar *ip, const gchar *port, IceAddress *ret_address)
{
  guint64 number;

  return g_ascii_string_to_unsigned (port, 10, 1, G_MAXUINT16, &number, NULL) &&
      !strchr (ip, '%') &&
      ice_address_parse (ret_address, ip, (guint16) number);
}

static IceCandidate *
make (
    gchar **head, const IceAddress *address, guint component, guint preference)
{
  IceCandidateKind kind =
      head[2] ? ICE_CANDIDATE_SERVER_REFLEXIVE : ICE_CANDIDATE_HOST;
  IceCandidate *self = ice_candidate_new (kind, component);

  self->address = *address;
  self->priority =
      ice_candidate_compute_priority (kind, (guint16) preference, component);
  g_snprintf (self->foundation, sizeof self->foundation, "alt%s", head[0]);
  return self;
}

/* (transfer full) words that single spaces part; NULL: too few or too many. */
static gchar **
split (const gchar *text, gsize size, guint min, guint max)
{
  g_autofree gchar *copy = g_strndup (text, size);
  g_auto (GStrv) words = g_strsplit (g_strstrip (copy), " ", (gint) max + 1);
  guint n = g_strv_length (words);

  return n >= min && n <= max ? g_steal_pointer (&words) : NULL;
}

guint
ice_candidate_parse_alt (const gchar *line, IceCandidate *ret_candidates[2])
{
  g_auto (GStrv) head = NULL, tail = NULL;
  IceAddress rtp, rtcp;
  guint preference, n = 0;
  const gchar *colon;

  if (g_str_has_prefix (line, "a="))
    line += strlen ("a=");
  if (g_str_has_prefix (line, "alt:"))
    line += strlen ("alt:");
  colon = strchr (line, ':');
  if (colon == NULL || strnlen (line, LINE_MAX_SIZE + 1) > LINE_MAX_SIZE)
    return 0;
  head = split (line, (gsize) (colon - line), HEAD_MIN, HEAD_MAX);
  tail = split (colon + 1, strlen (colon + 1), TAIL_MIN, TAIL_MAX);
  if (head == NULL || tail == NULL || strlen (head[0]) > 28 ||
      !ice_is_ice_chars (head[0]) || !parse_preference (head[1], &preference) ||
      !parse_address (tail[2], tail[3], &rtp))
    return 0;
  ret_candidates[n++] = make (head, &rtp, 1, preference);
  if (tail[4] && tail[5] && parse_address (tail[4], tail[5], &rtcp))
    ret_candidates[n++] = make (head, &rtcp, 2, preference);
  return n;
}
