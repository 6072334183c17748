/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "mdns-message.h"

#include <string.h>

#include "../base/bytes.h"

/* RFC 1035 4.1.1 */
#define HEADER_SIZE 12
#define FLAG_RESPONSE 0x8000
#define FLAG_AUTHORITATIVE 0x0400
#define OPCODE_MASK 0x7800
#define RCODE_MASK 0x000f

/* RFC 1035 4.1.4: two bits tell a label from a pointer. */
#define LABEL_KIND_MASK 0xc0
#define LABEL_POINTER 0xc0
#define POINTER_MASK 0x3fff
/* RFC 1035 2.3.4 */
#define LABEL_MAX 63
#define NAME_OCTETS_MAX 255

#define CLASS_IN 1
#define CLASS_ANY 255
/* RFC 6762 5.4 and 10.2: the top bit of the class asks for an answer by
 * unicast, or says that other records of the name are old. */
#define CLASS_MASK 0x7fff
#define CLASS_BIT 0x8000

static const gchar domain[] = "local";

/* The whole message, for names may point back into it. */
typedef struct
{
  IceBytes all;
  IceReader in;
} Walk;

/* A name as it is read: one label and whether "local" alone followed. */
typedef struct
{
  gchar label[LABEL_MAX + 1];
  guint n_labels;
  gboolean is_plain;
} Name;

static gboolean
is_plain_char (guint8 c)
{
  return g_ascii_isalnum (c) || c == '-' || c == '_';
}

static void
name_add (Name *self, IceBytes label)
{
  gchar text[LABEL_MAX + 1];

  for (gsize i = 0; i < label.size; i++) {
    if (!is_plain_char (label.data[i]))
      self->is_plain = FALSE;
    text[i] = g_ascii_tolower ((gchar) label.data[i]);
  }
  text[label.size] = '\0';
  if (self->n_labels == 0)
    memcpy (self->label, text, label.size + 1);
  else if (self->n_labels > 1 || strcmp (text, domain) != 0)
    self->is_plain = FALSE;
  self->n_labels++;
}

/* Where a name goes on. A pointer must lead before the place where the part
 * that holds it began, so each is followed at most once: no loops. */
static gboolean
follow (const Walk *walk, guint16 offset, gsize *began, IceReader *part)
{
  if (offset < HEADER_SIZE || offset >= *began)
    return FALSE;
  *began = offset;
  ice_reader_init (
      part, ICE_BYTES (walk->all.data + offset, walk->all.size - offset));
  return TRUE;
}

/* RFC 1035 3.1 and 4.1.4. Moves past the name, FALSE when it is none. */
static gboolean
read_name (Walk *walk, Name *ret_name)
{
  IceReader part = walk->in;
  gsize began = walk->all.size - part.left;
  gsize octets = 1;
  gboolean pointed = FALSE;
  guint8 size, low;
  IceBytes label;

  *ret_name = (Name){ .is_plain = TRUE };
  for (;;) {
    if (!ice_read_u8 (&part, &size))
      return FALSE;
    if ((size & LABEL_KIND_MASK) == LABEL_POINTER) {
      if (!ice_read_u8 (&part, &low))
        return FALSE;
      if (!pointed)
        walk->in = part;
      pointed = TRUE;
      if (!follow (walk, (guint16) ((size << 8 | low) & POINTER_MASK), &began,
              &part))
        return FALSE;
      continue;
    }
    if (size > LABEL_MAX)
      return FALSE;
    if (size == 0)
      break;
    octets += 1u + size;
    if (octets > NAME_OCTETS_MAX || !ice_read_bytes (&part, size, &label))
      return FALSE;
    name_add (ret_name, label);
  }
  if (!pointed)
    walk->in = part;
  ret_name->is_plain = ret_name->is_plain && ret_name->n_labels == 2;
  return TRUE;
}

static void
name_to_text (const Name *self, gchar *ret_text)
{
  g_snprintf (ret_text, ICE_MDNS_NAME_SIZE, "%s.%s", self->label, domain);
}

static gboolean
read_question (Walk *walk, IceMdnsMessage *message)
{
  IceMdnsQuestion *question = &message->questions[message->n_questions];
  guint16 type, class;
  Name name;

  if (!read_name (walk, &name) || !ice_read_u16 (&walk->in, &type) ||
      !ice_read_u16 (&walk->in, &class))
    return FALSE;
  if (!name.is_plain || message->n_questions == ICE_MDNS_MAX_QUESTIONS ||
      ((class & CLASS_MASK) != CLASS_IN && (class & CLASS_MASK) != CLASS_ANY) ||
      (type != ICE_MDNS_A && type != ICE_MDNS_AAAA && type != ICE_MDNS_ANY))
    return TRUE;
  name_to_text (&name, question->name);
  question->type = type;
  question->unicast = (class & CLASS_BIT) != 0;
  message->n_questions++;
  return TRUE;
}

static gboolean
read_record (Walk *walk, IceMdnsMessage *message)
{
  IceMdnsRecord *record = &message->records[message->n_records];
  guint16 type, class, size;
  guint32 ttl;
  IceBytes data;
  Name name;

  if (!read_name (walk, &name) || !ice_read_u16 (&walk->in, &type) ||
      !ice_read_u16 (&walk->in, &class) || !ice_read_u32 (&walk->in, &ttl) ||
      !ice_read_u16 (&walk->in, &size) ||
      !ice_read_bytes (&walk->in, size, &data))
    return FALSE;
  if (!name.is_plain || message->n_records == ICE_MDNS_MAX_RECORDS ||
      (class & CLASS_MASK) != CLASS_IN ||
      !((type == ICE_MDNS_A && size == 4) ||
          (type == ICE_MDNS_AAAA && size == 16)))
    return TRUE;
  name_to_text (&name, record->name);
  record->address = ICE_ADDRESS_NONE;
  record->address.family =
      type == ICE_MDNS_A ? ICE_FAMILY_IPV4 : ICE_FAMILY_IPV6;
  memcpy (record->address.ip, data.data, data.size);
  record->ttl = ttl;
  message->n_records++;
  return TRUE;
}

gboolean
ice_mdns_parse (IceMdnsMessage *ret_message, IceBytes data)
{
  Walk walk = { .all = data };
  guint16 flags, counts[4];
  guint n_records;

  ret_message->n_questions = ret_message->n_records = 0;
  ice_reader_init (&walk.in, data);
  if (!ice_read_u16 (&walk.in, &ret_message->id) ||
      !ice_read_u16 (&walk.in, &flags))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
    if (!ice_read_u16 (&walk.in, &counts[i]))
      return FALSE;
  ret_message->is_response = (flags & FLAG_RESPONSE) != 0;
  /* RFC 6762 18.3 and 18.11: "MUST be silently ignored". */
  if ((flags & (OPCODE_MASK | RCODE_MASK)) != 0)
    return FALSE;

  /* Each takes five bytes at least, so the counts promise no more work than
   * the packet has bytes. */
  for (guint i = 0; i < counts[0]; i++)
    if (!read_question (&walk, ret_message))
      return FALSE;
  n_records = (guint) counts[1] + counts[2] + counts[3];
  for (guint i = 0; i < n_records; i++)
    if (!read_record (&walk, ret_message))
      return FALSE;
  return TRUE;
}

gboolean
ice_mdns_name_is_sane (const gchar *name, gchar *ret_lower)
{
  const gchar *dot = strchr (name, '.');
  gsize size = dot ? (gsize) (dot - name) : 0;

  if (size == 0 || size > LABEL_MAX || g_ascii_strcasecmp (dot + 1, domain))
    return FALSE;
  for (gsize i = 0; i < size; i++)
    if (!is_plain_char ((guint8) name[i]))
      return FALSE;
  if (ret_lower) {
    for (gsize i = 0; i <= strlen (name); i++)
      ret_lower[i] = g_ascii_tolower (name[i]);
  }
  return TRUE;
}

/* Writing */

static void
write_header (IceWriter *out, guint16 id, guint16 flags, guint16 n_questions,
    guint16 n_answers, guint16 n_additional)
{
  ice_write_u16 (out, id);
  ice_write_u16 (out, flags);
  ice_write_u16 (out, n_questions);
  ice_write_u16 (out, n_answers);
  ice_write_u16 (out, 0);
  ice_write_u16 (out, n_additional);
}

/* @name is sane. Returns where it stands. */
static guint16
write_name (IceWriter *out, const gchar *name)
{
  const gsize offset = out->size;
  const gsize size = strcspn (name, ".");

  ice_write_u8 (out, (guint8) size);
  ice_write_bytes (out, ICE_BYTES (name, size));
  ice_write_u8 (out, (guint8) strlen (domain));
  ice_write_bytes (out, ICE_BYTES (domain, strlen (domain)));
  ice_write_u8 (out, 0);
  return (guint16) offset;
}

static void
write_pointer (IceWriter *out, guint16 offset)
{
  ice_write_u16 (out, (guint16) (LABEL_POINTER << 8 | offset));
}

/* (transfer full) */
static IcePacket *
finish (IceWriter *out)
{
  IcePacket *packet = ice_packet_new_from (ICE_BYTES (out->data, out->size));

  ice_writer_clear (out);
  return packet;
}

IcePacket *
ice_mdns_query_new (guint16 id, const gchar *name, gboolean unicast)
{
  const guint16 class = (guint16) (CLASS_IN | (unicast ? CLASS_BIT : 0));
  guint16 offset;
  IceWriter out;

  g_return_val_if_fail (ice_mdns_name_is_sane (name, NULL), NULL);

  ice_writer_init (&out, 128);
  write_header (&out, id, 0, 2, 0, 0);
  offset = write_name (&out, name);
  ice_write_u16 (&out, ICE_MDNS_A);
  ice_write_u16 (&out, class);
  write_pointer (&out, offset);
  ice_write_u16 (&out, ICE_MDNS_AAAA);
  ice_write_u16 (&out, class);
  return finish (&out);
}

static IceMdnsType
type_of (const IceAddress *address)
{
  return address->family == ICE_FAMILY_IPV6 ? ICE_MDNS_AAAA : ICE_MDNS_A;
}

/* What follows the name. */
static void
write_address (IceWriter *out, guint16 class, const IceMdnsAnswer *answer)
{
  const gsize size = answer->address.family == ICE_FAMILY_IPV6 ? 16 : 4;

  ice_write_u16 (out, (guint16) type_of (&answer->address));
  ice_write_u16 (out, class);
  ice_write_u32 (out, answer->ttl);
  ice_write_u16 (out, (guint16) size);
  ice_write_bytes (out, ICE_BYTES (answer->address.ip, size));
}

/* RFC 6762 6.1: which types the name has. The next domain name is the name
 * itself, and the bit map has one block, numbered 0, as long as it must be. */
static void
write_nsec_record (IceWriter *out, guint16 name_offset, guint16 class,
    const IceMdnsAnswer *answer)
{
  const guint type = type_of (&answer->address);
  const guint8 size = (guint8) (type / 8 + 1);

  write_pointer (out, name_offset);
  ice_write_u16 (out, ICE_MDNS_NSEC);
  ice_write_u16 (out, class);
  ice_write_u32 (out, answer->ttl);
  ice_write_u16 (out, (guint16) (2 + 2 + size));
  write_pointer (out, name_offset);
  ice_write_u8 (out, 0);
  ice_write_u8 (out, size);
  ice_write_zeros (out, size - 1u);
  ice_write_u8 (out, (guint8) (0x80 >> (type % 8)));
}

IcePacket *
ice_mdns_response_new (const IceMdnsAnswer *answer)
{
  const IceMdnsQuestion *legacy = answer->legacy;
  const guint16 flags = FLAG_RESPONSE | FLAG_AUTHORITATIVE;
  guint16 offset;
  IceWriter out;

  g_return_val_if_fail (ice_mdns_name_is_sane (answer->name, NULL), NULL);

  ice_writer_init (&out, 192);
  if (legacy) {
    write_header (&out, answer->id, flags, 1, 1, 0);
    offset = write_name (&out, answer->name);
    ice_write_u16 (&out, legacy->type);
    ice_write_u16 (&out, CLASS_IN);
    write_pointer (&out, offset);
    write_address (&out, CLASS_IN, answer);
  } else {
    write_header (&out, 0, flags, 0, 1, 1);
    offset = write_name (&out, answer->name);
    write_address (&out, CLASS_IN | CLASS_BIT, answer);
    write_nsec_record (&out, offset, CLASS_IN | CLASS_BIT, answer);
  }
  return finish (&out);
}
