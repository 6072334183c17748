/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "socks.h"

#include <string.h>

#include "../base/address.h"
#include "../base/crypto.h"
#include "proxy-private.h"

/* RFC 1928 3. */
#define SOCKS_VERSION 5
#define METHOD_NONE 0
#define METHOD_PASSWORD 2
#define METHOD_NO_ACCEPTABLE 0xff
/* RFC 1928 4. */
#define COMMAND_CONNECT 1
#define ADDRESS_IPV4 1
#define ADDRESS_NAME 3
#define ADDRESS_IPV6 4
/* RFC 1929 2. */
#define PASSWORD_VERSION 1

typedef enum
{
  STEP_METHOD,
  STEP_PASSWORD,
  STEP_REPLY,
} Step;

typedef struct
{
  IceStage parent;
  IceProxy *proxy; /* (owned) */
  gchar *host;     /* (owned) (nullable) */
  IceAddress literal;
  guint16 port;
  Step step;
  /* The longest reply: 4 bytes, a name of 255 with its length, and a port. */
  guint8 reply[4 + 1 + 255 + 2];
  gsize size;
} IceSocks;

static void
fail (IceSocks *self, IceStageError code, const gchar *what)
{
  ice_stage_fail (&self->parent,
      g_error_new (ICE_STAGE_ERROR, code, "The proxy %s %s",
          ice_proxy_get_url (self->proxy), what));
}

static void
flush (IceSocks *self, IceWriter *out)
{
  ice_stage_write_below (&self->parent, ICE_BYTES (out->data, out->size));
  if (out->size > 0)
    ice_secret_clear (out->data, out->size);
  ice_writer_clear (out);
}

/* RFC 1928 3: what we can. A password is offered only when there is one. */
static void
start (IceStage *stage)
{
  IceSocks *self = (IceSocks *) stage;
  gboolean has_user = self->proxy->username != NULL;
  IceWriter out;

  if (!self->host) {
    fail (self, ICE_STAGE_ERROR_REFUSED,
        "cannot be asked for that server: its host is no name and no address");
    return;
  }
  ice_writer_init (&out, 8);
  ice_write_u8 (&out, SOCKS_VERSION);
  ice_write_u8 (&out, has_user ? 2 : 1);
  ice_write_u8 (&out, METHOD_NONE);
  if (has_user)
    ice_write_u8 (&out, METHOD_PASSWORD);
  flush (self, &out);
}

static void
write_string (IceWriter *out, const gchar *text)
{
  const gsize size = strlen (text);

  ice_write_u8 (out, (guint8) size);
  ice_write_bytes (out, ICE_BYTES (text, size));
}

/* RFC 1929 2. */
static void
say_password (IceSocks *self)
{
  IceWriter out;

  ice_writer_init (&out, 3 + 255 + 255);
  ice_write_u8 (&out, PASSWORD_VERSION);
  write_string (&out, self->proxy->username);
  write_string (&out, self->proxy->password);
  flush (self, &out);
  self->step = STEP_PASSWORD;
}

/* RFC 1928 4, 5. */
static void
ask (IceSocks *self)
{
  gboolean ipv6 = self->literal.family == ICE_FAMILY_IPV6;
  IceWriter out;

  ice_writer_init (&out, sizeof self->reply);
  ice_write_u8 (&out, SOCKS_VERSION);
  ice_write_u8 (&out, COMMAND_CONNECT);
  ice_write_u8 (&out, 0);
  if (self->literal.family == ICE_FAMILY_NONE) {
    ice_write_u8 (&out, ADDRESS_NAME);
    write_string (&out, self->host);
  } else {
    ice_write_u8 (&out, ipv6 ? ADDRESS_IPV6 : ADDRESS_IPV4);
    ice_write_bytes (&out, ICE_BYTES (self->literal.ip, ipv6 ? 16 : 4));
  }
  ice_write_u16 (&out, self->port);
  flush (self, &out);
  self->step = STEP_REPLY;
}

static void
take_method (IceSocks *self)
{
  gboolean has_user = self->proxy->username != NULL;

  if (self->reply[0] != SOCKS_VERSION)
    fail (self, ICE_STAGE_ERROR_PROTOCOL,
        "does not speak SOCKS 5: check its port, or write http://");
  else if (self->reply[1] == METHOD_NONE)
    ask (self);
  else if (self->reply[1] == METHOD_PASSWORD && has_user)
    say_password (self);
  else if (self->reply[1] == METHOD_NO_ACCEPTABLE)
    fail (self, ICE_STAGE_ERROR_AUTH,
        has_user ? "takes neither a password nor none: ask its administrator"
                 : "wants a user and a password: write "
                   "socks5://USER:PASSWORD@HOST");
  else
    fail (self, ICE_STAGE_ERROR_PROTOCOL,
        "wants to log in as nobody has offered: use another one");
}

/* RFC 1929 2: 0 is success, whatever the version says (some repeat 5). */
static void
take_password (IceSocks *self)
{
  if (self->reply[1] == 0)
    ask (self);
  else
    fail (self, ICE_STAGE_ERROR_AUTH, "refuses user or password: correct them");
}

/* RFC 1928 6. */
static const gchar *
describe (guint8 reply)
{
  switch (reply) {
    case 2:
      return "forbids connections to that server: ask its administrator, or "
             "use a server on port 443";
    case 3:
      return "cannot reach that server's network: check its address";
    case 4:
      return "cannot reach that server: check its name";
    case 5:
      return "was refused by that server: check its port";
    case 6:
      return "got no answer from that server: check its name and port";
    case 7:
      return "makes no connections (CONNECT): use another one";
    case 8:
      return "does not know that kind of address: use the server's name, or "
             "its address of the other family";
    default:
      return "refuses the connection to that server: check its log";
  }
}

static void
take_reply (IceSocks *self)
{
  if (self->reply[0] != SOCKS_VERSION)
    fail (self, ICE_STAGE_ERROR_PROTOCOL, "ceases to speak SOCKS 5");
  else if (self->reply[1] != 0)
    fail (self, ICE_STAGE_ERROR_REFUSED, describe (self->reply[1]));
  else
    ice_stage_opened (&self->parent);
}

/* How long the message is as far as its first bytes say; 0: no such kind. */
static gsize
wanted_size (const IceSocks *self)
{
  if (self->step != STEP_REPLY)
    return 2;
  /* A refusal may come without its address. */
  if (self->size >= 2 &&
      (self->reply[0] != SOCKS_VERSION || self->reply[1] != 0))
    return 2;
  if (self->size < 5)
    return 5;
  switch (self->reply[3]) {
    case ADDRESS_IPV4:
      return 4 + 4 + 2;
    case ADDRESS_IPV6:
      return 4 + 16 + 2;
    case ADDRESS_NAME:
      return 4 + 1 + self->reply[4] + 2;
    default:
      return 0;
  }
}

static void
take_message (IceSocks *self)
{
  switch (self->step) {
    case STEP_METHOD:
      take_method (self);
      break;
    case STEP_PASSWORD:
      take_password (self);
      break;
    case STEP_REPLY:
      take_reply (self);
      break;
  }
  self->size = 0;
}

static void
take_byte (IceSocks *self, guint8 byte)
{
  gsize wanted;

  self->reply[self->size++] = byte;
  wanted = wanted_size (self);
  if (wanted == 0)
    fail (self, ICE_STAGE_ERROR_PROTOCOL, "answers with no kind of address");
  else if (self->size >= wanted)
    take_message (self);
}

static void
receive (IceStage *stage, IceBytes bytes)
{
  gsize i = 0;

  while (i < bytes.size && stage->state == ICE_STAGE_HANDSHAKING)
    take_byte ((IceSocks *) stage, bytes.data[i++]);
  if (stage->state == ICE_STAGE_OPEN && i < bytes.size)
    ice_stage_write_above (stage, ICE_BYTES (bytes.data + i, bytes.size - i));
}

static void
end (IceStage *stage)
{
  IceSocks *self = (IceSocks *) stage;

  if (stage->state == ICE_STAGE_OPEN)
    return;
  fail (self,
      self->step == STEP_PASSWORD ? ICE_STAGE_ERROR_AUTH
                                  : ICE_STAGE_ERROR_TRUNCATED,
      self->step == STEP_PASSWORD
          ? "closed the connection when it heard user and password: correct "
            "them"
          : "closed the connection without an answer: check that it is a "
            "proxy, and lets us in");
}

static void
expire (IceStage *stage)
{
  fail ((IceSocks *) stage, ICE_STAGE_ERROR_TIMED_OUT,
      "gave no answer in time: check that it is one, and that it reaches the "
      "server");
}

static void
free_stage (IceStage *stage)
{
  IceSocks *self = (IceSocks *) stage;

  ice_proxy_unref (self->proxy);
  g_free (self->host);
  g_free (self);
}

static const IceStageClass socks_class = {
  .name = "socks5",
  .start = start,
  .receive = receive,
  .send = ice_stage_write_below,
  .end = end,
  .expire = expire,
  .free = free_stage,
};

IceStage *
ice_socks_new (IceProxy *proxy, const gchar *host, guint16 port)
{
  IceSocks *self = g_new0 (IceSocks, 1);

  ice_stage_init (&self->parent, &socks_class);
  self->proxy = ice_proxy_ref (proxy);
  self->host = ice_proxy_dup_ascii_host (host);
  self->port = port;
  if (self->host)
    ice_address_parse (&self->literal, self->host, port);
  return &self->parent;
}
