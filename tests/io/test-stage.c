/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A stack of stages, without any socket: what each of them says to the other,
 * and what it may not say yet. */

#include "gst/ice/io/stage.h"

#include <string.h>

/* A toy: says "NAME?", opens at "NAME!" and closes at '.'; while it is open
 * each byte passes with @key added or taken off. */
typedef struct
{
  IceStage stage;
  gchar name;
  guint8 key;
  guint n_heard;
} Toy;

static guint n_toys;

static void
toy_start (IceStage *stage)
{
  const gchar hello[] = { ((Toy *) stage)->name, '?' };

  ice_stage_write_below (stage, ICE_BYTES (hello, 2));
}

static void
toy_handshake (Toy *self, gchar c)
{
  const gchar expected[] = { self->name, '!' };

  if (c == ' ')
    return; /* says nothing */
  if (c != expected[self->n_heard]) {
    ice_stage_fail_literal (
        &self->stage, ICE_STAGE_ERROR_PROTOCOL, "no toy there");
    ice_stage_fail_literal (&self->stage, ICE_STAGE_ERROR_AUTH, "later");
  } else if (++self->n_heard == 2) {
    ice_stage_opened (&self->stage);
  }
}

static void
toy_receive (IceStage *stage, IceBytes bytes)
{
  Toy *self = (Toy *) stage;

  for (gsize i = 0; i < bytes.size && stage->state < ICE_STAGE_CLOSED; i++) {
    guint8 plain = (guint8) (bytes.data[i] - self->key);

    if (stage->state == ICE_STAGE_HANDSHAKING)
      toy_handshake (self, (gchar) bytes.data[i]);
    else if (plain == '.')
      ice_stage_closed (stage);
    else
      ice_stage_write_above (stage, ICE_BYTES (&plain, 1));
  }
}

static void
toy_send (IceStage *stage, IceBytes bytes)
{
  for (gsize i = 0; i < bytes.size; i++) {
    guint8 c = (guint8) (bytes.data[i] + ((Toy *) stage)->key);

    ice_stage_write_below (stage, ICE_BYTES (&c, 1));
  }
}

static void
toy_close (IceStage *stage)
{
  toy_send (stage, ICE_BYTES (".", 1));
}

static void
toy_free (IceStage *stage)
{
  n_toys--;
  g_free (stage);
}

static const IceStageClass toy_class = {
  .name = "toy",
  .start = toy_start,
  .receive = toy_receive,
  .send = toy_send,
  .close = toy_close,
  .free = toy_free,
};

static IceStages *
stack_of (const gchar *names)
{
  IceStages *stages = ice_stages_new ();

  for (; *names; names++) {
    Toy *toy = g_new0 (Toy, 1);

    ice_stage_init (&toy->stage, &toy_class);
    toy->name = *names;
    toy->key = (guint8) (*names - 'a');
    n_toys++;
    ice_stages_push (stages, &toy->stage);
  }
  return stages;
}

static void
stack_free (IceStages *stages)
{
  ice_stages_free (stages);
  g_assert_cmpuint (n_toys, ==, 0);
}

static void
hear (IceStages *stages, const gchar *text)
{
  ice_stages_receive (stages, ICE_BYTES (text, strlen (text)));
}

static void
assert_below (IceStages *stages, const gchar *text)
{
  IceBytes below = ice_stages_get_below (stages);

  g_assert_cmpmem (below.data, below.size, text, strlen (text));
  ice_stages_skip_below (stages, below.size);
  g_assert_cmpuint (ice_stages_get_below (stages).size, ==, 0);
}

static void
assert_above (IceStages *stages, const gchar *text)
{
  IceBytes above = ice_stages_take_above (stages);

  g_assert_cmpmem (above.data, above.size, text, strlen (text));
}

static void
test_handshakes (void)
{
  IceStages *stages = stack_of ("bc");

  g_test_summary ("The upper one begins when the lower one is open, and what "
                  "came in one piece is divided between them");
  ice_stages_start (stages);
  assert_below (stages, "b?");
  g_assert_cmpint (ice_stages_get_state (stages), ==, ICE_STAGE_HANDSHAKING);
  hear (stages, "b");
  assert_below (stages, "");
  hear (stages, "!");
  assert_below (stages, "d@"); /* c? through b */
  g_assert_cmpint (ice_stages_get_state (stages), ==, ICE_STAGE_HANDSHAKING);
  hear (stages, "d\"kh"); /* c! through b; h, e through both */
  g_assert_cmpint (ice_stages_get_state (stages), ==, ICE_STAGE_OPEN);
  assert_above (stages, "he");
  assert_above (stages, "");
  stack_free (stages);
}

static void
test_nothing_in_clear (void)
{
  IceStages *stages = stack_of ("bc");

  g_test_summary ("Before all are open nothing of the frames leaves");
  ice_stages_send (stages, ICE_BYTES ("secret", 6));
  ice_stages_start (stages);
  ice_stages_send (stages, ICE_BYTES ("secret", 6));
  assert_below (stages, "b?");
  hear (stages, "b!");
  ice_stages_send (stages, ICE_BYTES ("secret", 6));
  assert_below (stages, "d@");
  hear (stages, "d\"");
  ice_stages_send (stages, ICE_BYTES ("hi", 2));
  assert_below (stages, "kl");
  stack_free (stages);
}

static void
test_pieces (void)
{
  IceStages *stages = stack_of ("b");

  g_test_summary ("What the socket takes goes, the rest waits in order");
  ice_stages_start (stages);
  hear (stages, "b!");
  ice_stages_skip_below (stages, 1);
  ice_stages_send (stages, ICE_BYTES ("ab", 2));
  ice_stages_skip_below (stages, 1);
  assert_below (stages, "bc");
  ice_stages_skip_below (stages, 100);
  assert_below (stages, "");
  stack_free (stages);
}

static void
test_failure (void)
{
  IceStages *stages = stack_of ("bc");

  g_test_summary ("One that fails is enough; its first error is the error, and "
                  "nothing moves any more");
  ice_stages_start (stages);
  hear (stages, "b!");
  hear (stages, "zzz");
  g_assert_cmpint (ice_stages_get_state (stages), ==, ICE_STAGE_FAILED);
  g_assert_error (
      ice_stages_get_error (stages), ICE_STAGE_ERROR, ICE_STAGE_ERROR_PROTOCOL);
  hear (stages, "d\"kh");
  assert_above (stages, "");
  ice_stages_send (stages, ICE_BYTES ("x", 1));
  ice_stages_end (stages);
  g_assert_error (
      ice_stages_get_error (stages), ICE_STAGE_ERROR, ICE_STAGE_ERROR_PROTOCOL);
  stack_free (stages);
}

static void
test_end (void)
{
  IceStages *stages = stack_of ("b");

  g_test_summary ("An end is a failure before it was open, and the end of "
                  "what has no goodbye afterwards");
  ice_stages_start (stages);
  ice_stages_end (stages);
  g_assert_cmpint (ice_stages_get_state (stages), ==, ICE_STAGE_FAILED);
  g_assert_error (ice_stages_get_error (stages), ICE_STAGE_ERROR,
      ICE_STAGE_ERROR_TRUNCATED);
  stack_free (stages);

  stages = stack_of ("b");
  ice_stages_start (stages);
  hear (stages, "b!");
  ice_stages_end (stages);
  g_assert_cmpint (ice_stages_get_state (stages), ==, ICE_STAGE_CLOSED);
  g_assert_null (ice_stages_get_error (stages));
  stack_free (stages);
}

static void
test_goodbye (void)
{
  IceStages *stages = stack_of ("bc");

  g_test_summary ("Goodbyes go out from above, each through those below; the "
                  "peer's closes it, and what came before still counts");
  ice_stages_start (stages);
  hear (stages, "b!d\"");
  assert_below (stages, "b?d@");
  ice_stages_close (stages);
  assert_below (stages, "1/"); /* c's through b, and b's own */
  hear (stages, "kh1x");
  assert_above (stages, "he");
  g_assert_cmpint (ice_stages_get_state (stages), ==, ICE_STAGE_CLOSED);
  stack_free (stages);

  stages = stack_of ("bc");
  ice_stages_start (stages);
  hear (stages, "b!");
  hear (stages, "d\"/"); /* the lower one's */
  g_assert_cmpint (ice_stages_get_state (stages), ==, ICE_STAGE_CLOSED);
  stack_free (stages);
}

static void
test_flood (void)
{
  IceStages *stages = stack_of ("bc");
  g_autofree gchar *spaces = g_strnfill (4096, ' ');
  guint n = 0;

  g_test_summary ("Who talks for ever before it is open is not listened to");
  ice_stages_start (stages);
  while (ice_stages_get_state (stages) == ICE_STAGE_HANDSHAKING) {
    hear (stages, spaces);
    g_assert_cmpuint (++n, <=, ICE_STAGES_HANDSHAKE_MAX / 4096 + 1);
  }
  g_assert_error (
      ice_stages_get_error (stages), ICE_STAGE_ERROR, ICE_STAGE_ERROR_PROTOCOL);
  stack_free (stages);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/io/stage/handshakes", test_handshakes);
  g_test_add_func ("/io/stage/nothing-in-clear", test_nothing_in_clear);
  g_test_add_func ("/io/stage/pieces", test_pieces);
  g_test_add_func ("/io/stage/failure", test_failure);
  g_test_add_func ("/io/stage/end", test_end);
  g_test_add_func ("/io/stage/goodbye", test_goodbye);
  g_test_add_func ("/io/stage/flood", test_flood);
  return g_test_run ();
}
