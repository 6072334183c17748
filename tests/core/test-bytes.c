/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hex.h"

#include <string.h>

static const guint8 counting[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };

static void
test_reader_values (void)
{
  IceReader in;
  guint8 u8;
  guint16 u16;
  guint32 u32;
  guint64 u64;
  IceBytes bytes;

  ice_reader_init (&in, ICE_BYTES (counting, sizeof (counting)));
  g_assert_true (ice_read_u8 (&in, &u8));
  g_assert_cmphex (u8, ==, 0x01);
  g_assert_true (ice_read_u64 (&in, &u64));
  g_assert_cmphex (u64, ==, G_GUINT64_CONSTANT (0x0203040506070809));
  g_assert_cmpuint (in.left, ==, 0);

  ice_reader_init (&in, ICE_BYTES (counting, sizeof (counting)));
  g_assert_true (ice_read_u16 (&in, &u16));
  g_assert_cmphex (u16, ==, 0x0102);
  g_assert_true (ice_skip (&in, 1));
  g_assert_true (ice_read_u32 (&in, &u32));
  g_assert_cmphex (u32, ==, 0x04050607);
  g_assert_true (ice_read_bytes (&in, 2, &bytes));
  assert_hex (bytes, "0809");
  g_assert_true (ice_read_bytes (&in, 0, &bytes));
  g_assert_cmpuint (bytes.size, ==, 0);
}

/* Whatever is asked of it, a reader that has too little says so and stays. */
static void
test_reader_bounds (void)
{
  gsize size;

  for (size = 0; size < 8; size++) {
    /* From the heap, so that the sanitizer sees a step too far. */
    g_autofree guint8 *data = g_memdup2 (counting, size);
    IceReader in;
    guint8 u8;
    guint16 u16;
    guint32 u32;
    guint64 u64;
    IceBytes bytes = ICE_BYTES_NONE;

    ice_reader_init (&in, ICE_BYTES (data, size));
    g_assert_false (ice_read_u64 (&in, &u64));
    g_assert_false (ice_read_bytes (&in, size + 1, &bytes));
    g_assert_false (ice_read_bytes (&in, G_MAXSIZE, &bytes));
    g_assert_cmpuint (bytes.size, ==, 0);
    g_assert_false (ice_skip (&in, size + 1));
    g_assert_false (ice_skip (&in, G_MAXSIZE));
    g_assert_cmpuint (in.left, ==, size);
    g_assert_true (in.data == data);
    g_assert_true (ice_read_u32 (&in, &u32) == (size >= 4));
    ice_reader_init (&in, ICE_BYTES (data, size));
    g_assert_true (ice_read_u16 (&in, &u16) == (size >= 2));
    ice_reader_init (&in, ICE_BYTES (data, size));
    g_assert_true (ice_read_u8 (&in, &u8) == (size >= 1));
  }
}

static void
test_writer (void)
{
  gsize expected;

  /* Growing from any first guess gives the same bytes. */
  for (expected = 0; expected < 40; expected++) {
    IceWriter out;

    ice_writer_init (&out, expected);
    ice_write_u8 (&out, 0x01);
    ice_write_u16 (&out, 0x0203);
    ice_write_u32 (&out, 0x04050607);
    ice_write_u64 (&out, G_GUINT64_CONSTANT (0x08090a0b0c0d0e0f));
    ice_write_zeros (&out, 3);
    ice_write_zeros (&out, 0);
    ice_write_bytes (&out, ICE_BYTES (counting, 4));
    ice_write_bytes (&out, ICE_BYTES_NONE);
    ice_writer_patch_u16 (&out, 1, 0xfffe);
    assert_hex (ICE_BYTES (out.data, out.size),
        "01fffe0405060708090a0b0c0d0e0f00000001020304");
    ice_writer_clear (&out);
    ice_writer_clear (&out);
  }
}

static void
test_equal (void)
{
  IceBytes a = ICE_BYTES (counting, 4), b = ICE_BYTES ("\1\2\3\4", 4);

  g_assert_true (ice_bytes_equal (a, b));
  b.size = 3;
  g_assert_false (ice_bytes_equal (a, b));
  g_assert_false (ice_bytes_equal (a, ICE_BYTES ("\1\2\3\5", 4)));
  g_assert_true (ice_bytes_equal (ICE_BYTES_NONE, ICE_BYTES (counting, 0)));
}

static void
test_utf8 (void)
{
  g_autofree gchar *empty = ice_bytes_dup_utf8 (ICE_BYTES_NONE);
  g_autofree gchar *text = ice_bytes_dup_utf8 (ICE_BYTES ("h\xc3\xa9llo", 3));

  g_assert_cmpstr (empty, ==, "");
  g_assert_cmpstr (text, ==, "h\xc3\xa9");
  g_assert_null (ice_bytes_dup_utf8 (ICE_BYTES ("h\xc3\xa9", 2)));
  g_assert_null (ice_bytes_dup_utf8 (ICE_BYTES ("a\0b", 3)));
  g_assert_null (ice_bytes_dup_utf8 (ICE_BYTES ("\xff", 1)));
}

static void
test_packet (void)
{
  g_autoptr (IcePacket) packet =
      ice_packet_new_from (ICE_BYTES (counting, sizeof (counting)));
  g_autoptr (IcePacket) again = ice_packet_ref (packet);
  g_autoptr (IcePacket) empty = ice_packet_new_from (ICE_BYTES_NONE);

  g_assert_true (again == packet);
  g_assert_cmpmem (packet->data, packet->size, counting, sizeof (counting));
  g_assert_cmpuint (empty->size, ==, 0);
  ice_packet_unref (NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/bytes/reader/values", test_reader_values);
  g_test_add_func ("/bytes/reader/bounds", test_reader_bounds);
  g_test_add_func ("/bytes/writer", test_writer);
  g_test_add_func ("/bytes/equal", test_equal);
  g_test_add_func ("/bytes/utf8", test_utf8);
  g_test_add_func ("/bytes/packet", test_packet);
  return g_test_run ();
}
