/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One candidate line, read and written: RFC 8839 5.1, RFC 6544 4.5. What
 * real peers do beside the grammar is let through where it is harmless:
 * upper and lower case, a raddr of 0.0.0.0, attributes nobody knows, one that
 * lacks its value. */
#include "candidate.h"

#include <string.h>

#include "../purity.h"

/* Longer than any sum of the fields' own limits; nobody writes such a line in
 * good faith. */
#define LINE_MAX_SIZE 2048

/* RFC 8839 5.4 */
#define UFRAG_MIN 4
#define PWD_MIN 22
#define CREDENTIAL_MAX 256

/* RFC 8839 5.1: 1 to 256 and 1 to 2^31 - 1, of so many digits. */
#define COMPONENT_DIGITS 3
#define COMPONENT_MAX 256
#define PRIORITY_DIGITS 10
#define PRIORITY_MAX G_MAXINT32
#define PORT_DIGITS 5

/* RFC 1035 2.3.4 */
#define LABEL_MAX 63

/* A walk over words that single spaces part (RFC 5234: SP is not LWSP). */
typedef struct
{
  gchar *rest; /* (nullable) NULL behind the last word */
} Words;

static gchar *
next_word (Words *self)
{
  gchar *word = self->rest;

  if (word) {
    self->rest = strchr (word, ' ');
    if (self->rest)
      *self->rest++ = '\0';
  }
  return word;
}

static gboolean
all_chars (const gchar *text, const gchar *others)
{
  const gchar *p;

  for (p = text; *p; p++)
    if (!g_ascii_isalnum (*p) && !strchr (others, *p))
      return FALSE;
  return p != text;
}

gboolean
ice_is_ice_chars (const gchar *text)
{
  return all_chars (text, "+/");
}

/* RFC 3261 25.1 */
static gboolean
is_token (const gchar *text)
{
  return all_chars (text, "-.!%*_+`'~");
}

static gboolean
is_credential (const gchar *text, gsize min)
{
  gsize size = text ? strlen (text) : 0;

  return size >= min && size <= CREDENTIAL_MAX && ice_is_ice_chars (text);
}

gboolean
ice_is_valid_ufrag (const gchar *ufrag)
{
  return is_credential (ufrag, UFRAG_MIN);
}

gboolean
ice_is_valid_pwd (const gchar *pwd)
{
  return is_credential (pwd, PWD_MIN);
}

static gboolean
parse_number (const gchar *text, gsize max_digits, guint32 min, guint32 max,
    guint32 *ret_value)
{
  gsize size = text ? strlen (text) : 0;
  guint64 value;

  /* GLib refuses a sign, blanks and a prefix here, as the grammar does. */
  if (size == 0 || size > max_digits ||
      !g_ascii_string_to_unsigned (text, 10, min, max, &value, NULL))
    return FALSE;
  *ret_value = (guint32) value;
  return TRUE;
}

/* The mDNS draft, 3.2.1: what has another dot is not one. */
static gboolean
is_mdns_name (const gchar *name)
{
  const gchar *dot = strchr (name, '.');

  return dot && dot != name && dot - name <= LABEL_MAX &&
      g_ascii_strcasecmp (dot, ".local") == 0;
}

static gboolean
is_host_name (const gchar *text)
{
  const gchar *last = strrchr (text, '.');

  /* A top-level domain is not a number (RFC 1123 2.1): "1.2.3.400" is a
   * spoilt address, not a name. */
  return all_chars (text, "-.") && !g_ascii_isdigit (last ? last[1] : text[0]);
}

static gboolean
parse_transport (IceCandidate *self, const gchar *word)
{
  if (g_ascii_strcasecmp (word, "udp") == 0)
    self->protocol = ICE_PROTOCOL_UDP;
  else if (g_ascii_strcasecmp (word, "tcp") == 0)
    self->protocol = ICE_PROTOCOL_TCP;
  else
    return FALSE;
  return TRUE;
}

static gboolean
parse_kind (IceCandidate *self, const gchar *word)
{
  IceCandidateKind kind;

  for (kind = ICE_CANDIDATE_HOST; kind <= ICE_CANDIDATE_RELAYED; kind++)
    if (g_ascii_strcasecmp (word, ice_candidate_kind_to_string (kind)) == 0) {
      self->kind = kind;
      return TRUE;
    }
  return FALSE;
}

/* RFC 6544 4.5 */
static const gchar *const tcp_types[] = { NULL, "active", "passive", "so" };

static gboolean
parse_tcp_type (IceCandidate *self, const gchar *word)
{
  guint i;

  for (i = ICE_TCP_TYPE_ACTIVE; i <= ICE_TCP_TYPE_SO; i++)
    if (g_ascii_strcasecmp (word, tcp_types[i]) == 0) {
      self->tcp_type = (IceTcpType) i;
      return TRUE;
    }
  return FALSE;
}

/* Verdicts that remember why. */
typedef struct
{
  IceCandidateParse result;
  const gchar *reason; /* static */
} Verdict;

static gboolean
malformed (Verdict *self, const gchar *reason)
{
  *self = (Verdict){ ICE_CANDIDATE_PARSE_MALFORMED, reason };
  return FALSE;
}

/* The line goes on to be read: a grammar error further on matters more. */
static void
ignored (Verdict *self, const gchar *reason)
{
  if (self->result == ICE_CANDIDATE_PARSE_OK)
    *self = (Verdict){ ICE_CANDIDATE_PARSE_IGNORED, reason };
}

static gboolean
parse_address (
    IceCandidate *self, const gchar *word, guint16 port, Verdict *verdict)
{
  if (ice_address_parse (&self->address, word, port)) {
    /* RFC 4007 6: a zone means something to its own node only. */
    return !strchr (word, '%') || malformed (verdict, "address with a zone");
  }
  if (!is_host_name (word))
    return malformed (verdict, "not an address");

  self->address.port = port;
  if (is_mdns_name (word))
    self->host_name = g_strdup (word);
  else
    /* RFC 8839 5.1: "MUST ignore candidate lines that include candidates
     * with FQDN". */
    ignored (verdict, "a host name instead of an address");
  return TRUE;
}

/* The fields that each have their place. */
static gboolean
parse_fixed (IceCandidate *self, Words *words, Verdict *verdict)
{
  const gchar *foundation = next_word (words);
  const gchar *component = next_word (words);
  const gchar *transport = next_word (words);
  const gchar *priority = next_word (words);
  const gchar *address = next_word (words);
  const gchar *port = next_word (words);
  const gchar *typ = next_word (words);
  const gchar *kind = next_word (words);
  guint32 number;

  if (!kind)
    return malformed (verdict, "too few fields");

  if (!ice_is_ice_chars (foundation) ||
      g_strlcpy (self->foundation, foundation, sizeof (self->foundation)) >=
          sizeof (self->foundation))
    return malformed (verdict, "foundation is not 1 to 32 ice-chars");
  if (!parse_number (component, COMPONENT_DIGITS, 1, COMPONENT_MAX, &number))
    return malformed (verdict, "component is not 1 to 256");
  self->component = number;

  if (!is_token (transport))
    return malformed (verdict, "transport is not a token");
  if (!parse_transport (self, transport))
    ignored (verdict, "unknown transport");
  if (!parse_number (
          priority, PRIORITY_DIGITS, 1, PRIORITY_MAX, &self->priority))
    return malformed (verdict, "priority is not 1 to 2^31 - 1");
  if (!parse_number (port, PORT_DIGITS, 0, G_MAXUINT16, &number))
    return malformed (verdict, "port is not 0 to 65535");
  if (!parse_address (self, address, (guint16) number, verdict))
    return FALSE;

  if (g_ascii_strcasecmp (typ, "typ") != 0 || !is_token (kind))
    return malformed (verdict, "no type");
  if (!parse_kind (self, kind))
    ignored (verdict, "unknown type");
  return TRUE;
}

/* raddr, rport and extensions, as name and value in any order; of a repeated
 * one the first counts. A name that lacks its value ends the line. */
static gboolean
parse_extensions (IceCandidate *self, Words *words, Verdict *verdict)
{
  const gchar *raddr = NULL, *rport = NULL, *tcptype = NULL, *ufrag = NULL;
  const gchar *name, *value;
  guint32 port = 0;

  while ((name = next_word (words)) && (value = next_word (words))) {
    if (!raddr && g_ascii_strcasecmp (name, "raddr") == 0)
      raddr = value;
    else if (!rport && g_ascii_strcasecmp (name, "rport") == 0)
      rport = value;
    else if (!tcptype && g_ascii_strcasecmp (name, "tcptype") == 0)
      tcptype = value;
    else if (!ufrag && g_ascii_strcasecmp (name, "ufrag") == 0)
      ufrag = value;
  }

  if (rport && !parse_number (rport, PORT_DIGITS, 0, G_MAXUINT16, &port))
    return malformed (verdict, "rport is not 0 to 65535");
  /* For diagnostics only: what cannot be read is as good as absent. */
  if (raddr && ice_address_parse (&self->related, raddr, (guint16) port))
    self->related.scope = 0;

  if (ufrag && !is_credential (ufrag, 1))
    return malformed (verdict, "ufrag is not ice-chars");
  self->ufrag = g_strdup (ufrag);

  if (self->protocol == ICE_PROTOCOL_TCP &&
      (!tcptype || !parse_tcp_type (self, tcptype)))
    ignored (verdict, "TCP without a known tcptype");
  return TRUE;
}

/* RFC 6544 4.5 writes port 9 for active candidates, some peers 0: nothing is
 * ever sent there. */
static gboolean
needs_port (const IceCandidate *self)
{
  return self->tcp_type != ICE_TCP_TYPE_ACTIVE;
}

/* (transfer full) (nullable) the value alone, without line end. */
static gchar *
dup_value (const gchar *line, Verdict *verdict)
{
  const gchar *p;
  gsize size;

  if (g_str_has_prefix (line, "a="))
    line += strlen ("a=");
  if (g_str_has_prefix (line, "candidate:"))
    line += strlen ("candidate:");

  size = strnlen (line, LINE_MAX_SIZE + 1);
  if (size > LINE_MAX_SIZE) {
    malformed (verdict, "line is too long");
    return NULL;
  }
  while (size > 0 && strchr (" \r\n", line[size - 1]))
    size--;
  for (p = line; p < line + size; p++)
    if (g_ascii_iscntrl (*p)) {
      malformed (verdict, "control character");
      return NULL;
    }
  return g_strndup (line, size);
}

IceCandidateParse
ice_candidate_parse (
    const gchar *line, IceCandidate **ret_candidate, const gchar **ret_reason)
{
  Verdict verdict = { ICE_CANDIDATE_PARSE_OK, NULL };
  g_autofree gchar *value = dup_value (line, &verdict);
  g_autoptr (IceCandidate) self = ice_candidate_new (ICE_CANDIDATE_HOST, 0);
  Words words = { value };

  if (value && parse_fixed (self, &words, &verdict) &&
      parse_extensions (self, &words, &verdict) && needs_port (self) &&
      self->address.port == 0)
    ignored (&verdict, "port 0");

  *ret_candidate =
      verdict.result == ICE_CANDIDATE_PARSE_OK ? g_steal_pointer (&self) : NULL;
  if (ret_reason)
    *ret_reason = verdict.reason;
  return verdict.result;
}

/* A zone is this node's own affair: it is left out. */
static void
append_ip (GString *text, const IceAddress *address)
{
  IceAddress anywhere = *address;
  gchar ip[ICE_ADDRESS_STRLEN];

  anywhere.scope = 0;
  g_string_append (text, ice_address_ip_to_string (&anywhere, ip));
}

/* RFC 8839 5.1: raddr and rport "MUST be present" for these; what is not to
 * be told is 0.0.0.0 or :: and port 9. */
static void
append_related (GString *text, const IceCandidate *self)
{
  if (self->related.family == ICE_FAMILY_NONE) {
    g_string_append_printf (text, " raddr %s rport 9",
        self->address.family == ICE_FAMILY_IPV6 ? "::" : "0.0.0.0");
    return;
  }
  g_string_append (text, " raddr ");
  append_ip (text, &self->related);
  g_string_append_printf (text, " rport %u", self->related.port);
}

gchar *
ice_candidate_to_sdp (const IceCandidate *self)
{
  GString *text = g_string_new ("candidate:");

  g_string_append_printf (text, "%s %u %s %u ", self->foundation,
      self->component, self->protocol == ICE_PROTOCOL_TCP ? "TCP" : "UDP",
      self->priority);
  if (self->host_name)
    g_string_append (text, self->host_name);
  else
    append_ip (text, &self->address);
  g_string_append_printf (text, " %u typ %s", self->address.port,
      ice_candidate_kind_to_string (self->kind));
  if (self->kind != ICE_CANDIDATE_HOST)
    append_related (text, self);
  if (self->protocol == ICE_PROTOCOL_TCP && self->tcp_type != ICE_TCP_TYPE_NONE)
    g_string_append_printf (text, " tcptype %s", tcp_types[self->tcp_type]);
  if (self->ufrag)
    g_string_append_printf (text, " ufrag %s", self->ufrag);
  return g_string_free (text, FALSE);
}
