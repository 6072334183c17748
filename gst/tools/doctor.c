/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ice-1.0 doctor: what stands in the way of calls, and what to do. */

#include "doctor.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "json.h"

static const gchar *const kind_names[] = { "ok", "note", "warning", "failed" };

static void
finding_free (gpointer data)
{
  GstIceFinding *self = data;

  g_free (self->text);
  g_free (self->cure);
  g_free (self);
}

void
gst_ice_doctor_find (GstIceDoctor *self, GstIceFindingKind kind,
    const gchar *check, const gchar *cure, const gchar *format, ...)
{
  GstIceFinding *finding = g_new0 (GstIceFinding, 1);
  g_autofree gchar *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  finding->kind = kind;
  finding->check = check;
  finding->text = gst_ice_tool_printable (text);
  finding->cure = g_strdup (cure);
  g_ptr_array_add (self->findings, finding);
}

static guint
count (const GstIceDoctor *self, GstIceFindingKind kind)
{
  guint n = 0;

  for (guint i = 0; i < self->findings->len; i++) {
    const GstIceFinding *finding = self->findings->pdata[i];

    n += finding->kind == kind;
  }
  return n;
}

static const gchar *
verdict (const GstIceDoctor *self)
{
  if (count (self, GST_ICE_FINDING_FAILED) > 0)
    return "Something that calls need does not work: see “failed”.";
  if (count (self, GST_ICE_FINDING_WARNING) > 0)
    return "Calls work, some may not: see the warnings.";
  return "Nothing stands in the way.";
}

static void
print_text (const GstIceDoctor *self)
{
  for (guint i = 0; i < self->findings->len; i++) {
    const GstIceFinding *finding = self->findings->pdata[i];

    g_print ("%-8s %-13s %s\n", kind_names[finding->kind], finding->check,
        finding->text);
    if (finding->cure)
      g_print ("%-8s %-13s -> %s\n", "", "", finding->cure);
  }
  g_print ("\n%s\n", verdict (self));
}

static void
print_json (const GstIceDoctor *self)
{
  GstIceToolJson json;

  gst_ice_tool_json_begin (&json);
  gst_ice_tool_json_open (&json, "findings", '[');
  for (guint i = 0; i < self->findings->len; i++) {
    const GstIceFinding *finding = self->findings->pdata[i];

    gst_ice_tool_json_open (&json, NULL, '{');
    gst_ice_tool_json_string (&json, "kind", kind_names[finding->kind]);
    gst_ice_tool_json_string (&json, "check", finding->check);
    gst_ice_tool_json_string (&json, "text", finding->text);
    gst_ice_tool_json_string (&json, "cure", finding->cure);
    gst_ice_tool_json_close (&json, '{');
  }
  gst_ice_tool_json_close (&json, '[');
  for (GstIceFindingKind kind = GST_ICE_FINDING_OK;
       kind <= GST_ICE_FINDING_FAILED; kind++)
    gst_ice_tool_json_number (&json, kind_names[kind], count (self, kind), 0);
  gst_ice_tool_json_string (&json, "verdict", verdict (self));
  gst_ice_tool_json_end (&json);
}

static void
add_from_environment (gchar ***list, const gchar *name)
{
  const gchar *value = g_getenv (name);

  if (!*list && value && *value)
    *list = g_strsplit (value, ",", -1);
}

GstIceToolStatus
gst_ice_tool_doctor (gint argc, gchar **argv)
{
  GstIceDoctor self = { 0 };
  gboolean json = FALSE;
  const GOptionEntry entries[] = {
    { "stun", 's', 0, G_OPTION_ARG_STRING_ARRAY, &self.stun,
        "a STUN server, may be given again; without it $STUN_SERVER",
        "[stun:]HOST[:PORT]" },
    { "turn", 't', 0, G_OPTION_ARG_STRING_ARRAY, &self.turn,
        "a TURN server, may be given again; without it $TURN_URI",
        "turn:USER:PASS@HOST[:PORT]" },
    { "ca-file", 0, 0, G_OPTION_ARG_FILENAME, &self.ca_file,
        "PEM file of the authorities to trust, for turns:", "FILE" },
    { "quick", 'q', 0, G_OPTION_ARG_NONE, &self.quick,
        "leave out what kind of NAT there is, which takes six seconds", NULL },
    { "json", 'j', 0, G_OPTION_ARG_NONE, &json,
        "one JSON object instead of lines", NULL },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };
  g_autoptr (GOptionContext) options = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;
  GstIceToolStatus status = GST_ICE_TOOL_USAGE;

  g_option_context_set_summary (options,
      "Looks at this host, its networks and the servers, and says what to do "
      "about what it finds.");
  g_option_context_set_description (
      options, "Exit status 0: nothing failed; 1: something did.");
  g_option_context_add_main_entries (options, entries, NULL);
  g_option_context_add_group (options, gst_init_get_option_group ());
  if (!g_option_context_parse (options, &argc, &argv, &error)) {
    g_printerr ("doctor: %s\n", error->message);
  } else if (self.ca_file && g_access (self.ca_file, R_OK) != 0) {
    g_printerr ("doctor: the CA file “%s” cannot be read: %s\n", self.ca_file,
        g_strerror (errno));
  } else if (argc > 1) {
    g_printerr ("doctor: what is “%s”? Options begin with -\n", argv[1]);
  } else {
    add_from_environment (&self.stun, "STUN_SERVER");
    add_from_environment (&self.turn, "TURN_URI");
    self.findings = g_ptr_array_new_with_free_func (finding_free);
    gst_ice_doctor_look_at_host (&self);
    if (gst_ice_doctor_look_at_network (&self)) {
      if (json)
        print_json (&self);
      else
        print_text (&self);
      status = count (&self, GST_ICE_FINDING_FAILED) > 0 ? GST_ICE_TOOL_FAILED
                                                         : GST_ICE_TOOL_OK;
    }
    g_ptr_array_unref (self.findings);
  }
  g_strfreev (self.stun);
  g_strfreev (self.turn);
  g_free (self.ca_file);
  return status;
}
