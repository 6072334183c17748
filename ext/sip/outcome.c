/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "outcome.h"

/* What a stranger writes is shown cut to this. */
#define MAX_TEXT 100

/* The first of a word is the one that is said; RFC 3261 21.4 to 21.6. */
static const struct
{
  guint status;
  const gchar *word, *phrase, *does;
} outcomes[] = {
  { 486, "busy", "Busy Here", "is busy" },
  { 600, "busy", "Busy Everywhere", "is busy" },
  { 603, "declined", "Decline", "declines the call" },
  { 480, "unavailable", "Temporarily Unavailable", "is not reachable now" },
  { 408, "no-answer", "Request Timeout", "does not answer" },
  { 404, "not-found", "Not Found", "is not known there" },
  { 604, "not-found", "Does Not Exist Anywhere", "is not known there" },
  { 410, "not-found", "Gone", "is not there any more" },
  { 403, "forbidden", "Forbidden", "may not be called from here" },
  { 488, "not-acceptable", "Not Acceptable Here",
      "takes none of what was offered" },
  { 606, "not-acceptable", "Not Acceptable", "takes none of what was offered" },
  { 415, "not-acceptable", "Unsupported Media Type",
      "takes no session descriptions" },
  { 487, "canceled", "Request Terminated", "was not waited for" },
};

static gint
find (guint status)
{
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (outcomes); i++)
    if (outcomes[i].status == status)
      return i;
  return -1;
}

const gchar *
gst_ice_sip_outcome_word (guint status)
{
  gint i = find (status);

  return i >= 0 ? outcomes[i].word : "failed";
}

const gchar *
gst_ice_sip_outcome_does (guint status)
{
  gint i = find (status);

  return i >= 0 ? outcomes[i].does : "cannot be called";
}

guint
gst_ice_sip_outcome_status (const gchar *word)
{
  gsize i;

  for (i = 0; word != NULL && i < G_N_ELEMENTS (outcomes); i++)
    if (g_str_equal (outcomes[i].word, word))
      return outcomes[i].status;
  return 480;
}

const gchar *
gst_ice_sip_outcome_phrase (guint status)
{
  gint i = find (status);

  return i >= 0 ? outcomes[i].phrase : "Declined";
}

gchar *
gst_ice_sip_clean (const gchar *text)
{
  g_autofree gchar *valid = g_utf8_make_valid (text != NULL ? text : "", -1);
  GString *line = g_string_new (NULL);
  const gchar *p;

  for (p = valid; *p != '\0' && line->len < MAX_TEXT; p = g_utf8_next_char (p))
    g_string_append_unichar (line,
        g_unichar_isprint (g_utf8_get_char (p)) ? g_utf8_get_char (p) : ' ');
  return g_string_free (line, FALSE);
}
