/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How often the core asks for memory: never for media, and for a check that it
 * answers only what the answer is made of. malloc and its like are ours here,
 * which sanitizers do not share. */
#define _GNU_SOURCE /* dl_iterate_phdr */
#include "harness.h"

#include "gst/ice/core/turn/channel-data.h"

#if defined(__SANITIZE_ADDRESS__) || !defined(__GLIBC__)
#define COUNTED 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define COUNTED 0
#endif
#endif
#ifndef COUNTED
#define COUNTED 1
#endif

static gboolean counting;
static guint n_allocations; /* but for libcrypto's */
static guint n_of_crypto;

#if COUNTED
#include <link.h>

static guintptr crypto_begin, crypto_end; /* where libcrypto is */

extern void *__libc_malloc (size_t size);
extern void *__libc_calloc (size_t n, size_t size);
extern void *__libc_realloc (void *memory, size_t size);
extern void *malloc (size_t size) __attribute__ ((visibility ("default")));
extern void *
calloc (size_t n, size_t size) __attribute__ ((visibility ("default")));
extern void *
realloc (void *memory, size_t size) __attribute__ ((visibility ("default")));

static void
count (void *caller)
{
  guintptr at = (guintptr) caller;

  if (counting && at >= crypto_begin && at < crypto_end)
    n_of_crypto++;
  else if (counting)
    n_allocations++;
}

static gint
find_crypto (struct dl_phdr_info *info, size_t size, void *user)
{
  gint i;

  if (!strstr (info->dlpi_name, "libcrypto"))
    return 0;
  crypto_begin = info->dlpi_addr;
  for (i = 0; i < info->dlpi_phnum; i++)
    crypto_end = MAX (crypto_end,
        info->dlpi_addr + info->dlpi_phdr[i].p_vaddr +
            info->dlpi_phdr[i].p_memsz);
  return 1;
}

void *
malloc (size_t size)
{
  count (__builtin_return_address (0));
  return __libc_malloc (size);
}

void *
calloc (size_t n, size_t size)
{
  count (__builtin_return_address (0));
  return __libc_calloc (n, size);
}

void *
realloc (void *memory, size_t size)
{
  count (__builtin_return_address (0));
  return __libc_realloc (memory, size);
}
#endif

static void
begin (void)
{
  n_allocations = n_of_crypto = 0;
  counting = TRUE;
}

static guint
end (void)
{
  counting = FALSE;
  return n_allocations;
}

static gboolean
is_counted (void)
{
  if (!COUNTED)
    g_test_skip ("a sanitizer has malloc");
  return COUNTED;
}

/* So that the rest can fail. */
static void
test_counter (void)
{
  if (!is_counted ())
    return;
  begin ();
  ice_packet_unref (ice_packet_new (8));
  g_assert_cmpuint (end (), ==, 1);
}

/* Core contract 4: media does not pass the core. What it is asked and told for
 * each packet, and for a batch, costs no memory. */
static void
test_media (void)
{
  static const guint8 rtp[172] = { 0x80, 0x60 };
  static const guint8 channel_data[176] = { 0x40, 0x01, 0x00, 0xac };
  const IceAddress stranger = addr ("203.0.113.66", 9);
  IceBytes payload;
  IceTime deadline;
  guint16 channel;
  Harness h;

  if (!is_counted ())
    return;
  harness_complete (&h, TRUE);
  begin ();
  for (guint i = 0; i < 1000; i++) {
    IceDatagram in = { h.socket, stranger, ICE_BYTES (rtp, sizeof rtp) };

    g_assert_false (ice_stun_looks_like (in.data));
    g_assert_true (ice_channel_data_parse (
        ICE_BYTES (channel_data, sizeof channel_data), &channel, &payload));
    g_assert_cmpint (
        ice_core_receive (h.core, &in, h.now), ==, ICE_VERDICT_NOT_STUN);
    ice_core_media_seen (h.core, h.transport, h.now, h.now);
    g_assert_null (ice_core_take_outputs (h.core, &deadline));
  }
  g_assert_cmpuint (end (), ==, 0);
  harness_clear (&h);
}

/* A check that the peer sends again and again, as RFC 7675 has it every five
 * seconds: one output and the packet in it, and nothing else of ours. The two
 * MACs cost four blocks of libcrypto's, which copies states into new ones
 * (docs/decisions/001). */
static void
test_answered_check (void)
{
  const IceAddress peer = addr ("192.0.2.2", 1);
  Check check = { .controlled = TRUE };
  Harness h;

  if (!is_counted ())
    return;
  harness_complete (&h, TRUE);
  g_assert_cmpint (harness_check (&h, &peer, &check), ==, ICE_VERDICT_OK);
  for (guint i = 0; i < 100; i++) {
    g_autoptr (IcePacket) packet = harness_build_check (&h, &check);
    IceDatagram in = { h.socket, peer, ICE_BYTES (packet->data, packet->size) };
    g_autoptr (IceOutput) outputs = NULL;
    IceTime deadline;
    guint n;

    begin ();
    g_assert_cmpint (ice_core_receive (h.core, &in, h.now), ==, ICE_VERDICT_OK);
    outputs = ice_core_take_outputs (h.core, &deadline);
    n = end ();
    g_assert_nonnull (outputs);
    g_assert_cmpint (outputs->type, ==, ICE_OUTPUT_TRANSMIT);
    g_assert_null (outputs->next);
    g_assert_cmpuint (n, ==, 2);
    g_assert_cmpuint (n_of_crypto, <=, 4);
  }
  harness_clear (&h);
}

/* Nor does what is refused. */
static void
test_refused_check (void)
{
  const IceAddress peer = addr ("203.0.113.66", 9);
  Check check = { .username = "some:body" };
  g_autoptr (IcePacket) packet = NULL;
  Harness h;

  if (!is_counted ())
    return;
  harness_complete (&h, TRUE);
  packet = harness_build_check (&h, &check);
  begin ();
  for (guint i = 0; i < 100; i++) {
    IceDatagram in = { h.socket, peer,
      ICE_BYTES (packet->data, packet->size - 4) };

    g_assert_cmpint (ice_core_receive (h.core, &in, h.now), !=, ICE_VERDICT_OK);
  }
  g_assert_cmpuint (end (), ==, 0);
  harness_clear (&h);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#if COUNTED
  g_assert_true (dl_iterate_phdr (find_crypto, NULL));
#endif
  g_test_add_func ("/allocations/counter", test_counter);
  g_test_add_func ("/allocations/none-for-media", test_media);
  g_test_add_func ("/allocations/answered-check", test_answered_check);
  g_test_add_func ("/allocations/none-for-rubbish", test_refused_check);
  return g_test_run ();
}
