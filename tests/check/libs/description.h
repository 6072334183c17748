/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tests of session descriptions have in common. */
#pragma once

#include "gst/ice/gsticedescription-private.h"
#include "gst/ice/gsticeerror.h"

#include <string.h>

#define UFRAG "8hhY"
#define PWD "asd88fgpdd777uzjYhagZg"
#define HEAD "v=0\r\no=- 7 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
#define ICE "a=ice-ufrag:" UFRAG "\r\na=ice-pwd:" PWD "\r\n"
#define CANDIDATE "a=candidate:1 1 UDP 2130706431 192.0.2.1 5000 typ host\r\n"

static inline GstIceDescription *
parse (const gchar *sdp)
{
  g_autoptr (GError) error = NULL;
  GstIceDescription *self = gst_ice_description_parse (sdp, &error);

  g_assert_no_error (error);
  g_assert_nonnull (self);
  return self;
}

static inline GstIceSection *
section_at (GstIceDescription *self, guint index)
{
  g_assert_cmpuint (index, <, self->sections->len);
  return g_ptr_array_index (self->sections, index);
}

static inline void
assert_parse_fails (const gchar *sdp)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (gst_ice_description_parse (sdp, &error));
  g_assert_error (error, GST_ICE_ERROR, GST_ICE_ERROR_INVALID_SDP);
}

static inline void
assert_same_caps (const GstCaps *a, const GstCaps *b)
{
  g_autofree gchar *a_text = a ? gst_caps_to_string (a) : NULL;
  g_autofree gchar *b_text = b ? gst_caps_to_string (b) : NULL;

  if (!a || !b || !gst_caps_is_strictly_equal (a, b))
    g_assert_cmpstr (a_text, ==, b_text);
}

static inline void
assert_same_section (const GstIceSection *a, const GstIceSection *b)
{
  guint i;

  g_assert_cmpstr (a->mid, ==, b->mid);
  g_assert_cmpuint (a->index, ==, b->index);
  g_assert_cmpint (a->rejected, ==, b->rejected);
  g_assert_cmpint (a->bundle_tag, ==, b->bundle_tag);
  g_assert_cmpint (a->bundled, ==, b->bundled);
  g_assert_cmpint (a->bundle_only, ==, b->bundle_only);
  g_assert_cmpint (a->send, ==, b->send);
  g_assert_cmpint (a->receive, ==, b->receive);
  g_assert_cmpstr (a->media, ==, b->media);
  g_assert_cmpstr (a->proto, ==, b->proto);
  g_assert_cmpstr (a->formats, ==, b->formats);
  assert_same_caps (a->caps, b->caps);
  assert_same_caps (a->all_caps, b->all_caps);
  g_assert_cmpstr (a->ufrag, ==, b->ufrag);
  g_assert_cmpstr (a->pwd, ==, b->pwd);
  g_assert_cmpint (a->ice_lite, ==, b->ice_lite);
  g_assert_cmpint (a->trickle, ==, b->trickle);
  g_assert_cmpint (a->ice2, ==, b->ice2);
  g_assert_cmpint (a->renomination, ==, b->renomination);
  g_assert_cmpint (a->mismatch, ==, b->mismatch);
  g_assert_cmpuint (a->pacing, ==, b->pacing);
  g_assert_cmpint (a->end_of_candidates, ==, b->end_of_candidates);
  g_assert_true (ice_address_equal (&a->address, &b->address));
  g_assert_true (ice_address_equal (&a->rtcp_address, &b->rtcp_address));
  g_assert_cmpstr (a->fingerprint, ==, b->fingerprint);
  g_assert_cmpstr (a->setup, ==, b->setup);
  g_assert_cmpuint (a->candidates->len, ==, b->candidates->len);
  for (i = 0; i < a->candidates->len; i++) {
    g_autofree gchar *a_line =
        ice_candidate_to_sdp (g_ptr_array_index (a->candidates, i));
    g_autofree gchar *b_line =
        ice_candidate_to_sdp (g_ptr_array_index (b->candidates, i));

    g_assert_cmpstr (a_line, ==, b_line);
  }
  if (!a->rejected)
    g_assert_cmpint (a->rtcp_mux, ==, b->rtcp_mux);
}

/* Writing and reading again changes nothing any more. */
static inline void
assert_fixpoint (GstIceDescription *self)
{
  g_autofree gchar *text = gst_ice_description_to_string (self);
  g_autoptr (GstIceDescription) again = parse (text);
  g_autofree gchar *text_again = gst_ice_description_to_string (again);
  guint i;

  g_assert_cmpuint (self->session_id, ==, again->session_id);
  g_assert_cmpuint (self->version, ==, again->version);
  g_assert_cmpuint (self->sections->len, ==, again->sections->len);
  for (i = 0; i < self->sections->len; i++)
    assert_same_section (section_at (self, i), section_at (again, i));
  g_assert_cmpstr (text, ==, text_again);
}
