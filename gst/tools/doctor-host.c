/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What there is to see without sending a packet. */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "doctor.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <string.h>
#include <sys/resource.h>
#ifdef __linux__
#include <sys/timex.h>
#endif

/* An agent has a few sockets, each TURN server one more, and GStreamer its
 * own. */
#define MIN_DESCRIPTORS 256

/* What a socket may keep: a key frame of 4K video in one burst. */
#define MIN_RECEIVE_BUFFER (200 * 1024)

/* Elements of a call, and where Debian has those that are not ours. */
static const struct
{
  const gchar *element, *package, *what;
} elements[] = {
  { "icesrc", NULL, "the ICE elements" },
  { "icesink", NULL, "the ICE elements" },
  { "rtpbin", "gstreamer1.0-plugins-good", "RTP sessions" },
  { "rtpvp8pay", "gstreamer1.0-plugins-good", "RTP of video" },
  { "vp8enc", "gstreamer1.0-plugins-good", "VP8 video" },
  { "opusenc", "gstreamer1.0-plugins-base", "Opus sound" },
  { "dtlssrtpenc", "gstreamer1.0-plugins-bad", "DTLS-SRTP, as browsers want" },
  { "srtpenc", "gstreamer1.0-plugins-bad", "SRTP" },
};

static gboolean
has_element (const gchar *name)
{
  GstElementFactory *factory = gst_element_factory_find (name);

  if (factory)
    gst_object_unref (factory);
  return factory != NULL;
}

static void
look_at_plugins (GstIceDoctor *self)
{
  GString *missing = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (elements); i++) {
    g_autofree gchar *cure = NULL;

    if (has_element (elements[i].element))
      continue;
    cure = elements[i].package
        ? g_strdup_printf ("apt-get install %s", elements[i].package)
        : g_strdup ("set GST_PLUGIN_PATH to the folder of libgstice.so");
    gst_ice_doctor_find (self, GST_ICE_FINDING_WARNING, "plugins", cure,
        "no %s: %s will not work", elements[i].element, elements[i].what);
    g_string_append_printf (missing, " %s", elements[i].element);
  }
  if (missing->len == 0) {
    g_autofree gchar *version = gst_version_string ();

    gst_ice_doctor_find (self, GST_ICE_FINDING_OK, "plugins", NULL,
        "%s, with what a call with VP8 and Opus takes", version);
  }
  g_string_free (missing, TRUE);
}

static gboolean
is_up (const struct ifaddrs *item)
{
  return (item->ifa_flags & IFF_UP) && (item->ifa_flags & IFF_RUNNING);
}

/* Each interface once, though it has an entry for each address. */
static void
look_at_interfaces (GstIceDoctor *self)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GString) up = g_string_new (NULL);
  g_autoptr (GString) down = g_string_new (NULL);
  struct ifaddrs *all = NULL, *item;

  if (getifaddrs (&all) != 0)
    return;
  for (item = all; item != NULL; item = item->ifa_next) {
    if ((item->ifa_flags & IFF_LOOPBACK) ||
        !g_hash_table_add (seen, item->ifa_name))
      continue;
    g_string_append_printf (is_up (item) ? up : down, " %s", item->ifa_name);
  }
  if (up->len > 0)
    gst_ice_doctor_find (self, GST_ICE_FINDING_OK, "interfaces", NULL,
        "up:%s%s%s", up->str, down->len > 0 ? "; down:" : "", down->str);
  else
    gst_ice_doctor_find (self, GST_ICE_FINDING_FAILED, "interfaces",
        "connect a network, or look at “ip link”",
        "none is up but loopback%s%s", down->len > 0 ? "; down:" : "",
        down->str);
  freeifaddrs (all);
}

static void
look_at_clock (GstIceDoctor *self)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree gchar *text = g_date_time_format_iso8601 (now);
#ifdef __linux__
  struct timex clock = { .modes = 0 };
  const gint state = adjtimex (&clock);

  if (state >= 0 && (clock.status & STA_UNSYNC)) {
    gst_ice_doctor_find (self, GST_ICE_FINDING_NOTE, "clock",
        "if that is not the time, turn on NTP (timedatectl set-ntp true): "
        "credentials and certificates expire by it",
        "%s, and nobody keeps it right", text);
    return;
  }
#endif
  gst_ice_doctor_find (self, GST_ICE_FINDING_OK, "clock", NULL, "%s", text);
}

static void
look_at_limits (GstIceDoctor *self)
{
  g_autofree gchar *text = NULL;
  struct rlimit limit;

  if (getrlimit (RLIMIT_NOFILE, &limit) == 0 &&
      limit.rlim_cur < MIN_DESCRIPTORS)
    gst_ice_doctor_find (self, GST_ICE_FINDING_WARNING, "limits",
        "ulimit -n 1024", "%u file descriptors", (guint) limit.rlim_cur);
  if (g_file_get_contents ("/proc/sys/net/core/rmem_max", &text, NULL, NULL) &&
      g_ascii_strtoull (text, NULL, 10) < MIN_RECEIVE_BUFFER)
    gst_ice_doctor_find (self, GST_ICE_FINDING_WARNING, "limits",
        "sysctl net.core.rmem_max=2500000",
        "a socket keeps at most %" G_GUINT64_FORMAT
        " bytes: bursts of video are lost",
        g_ascii_strtoull (text, NULL, 10));
}

void
gst_ice_doctor_look_at_host (GstIceDoctor *self)
{
  look_at_plugins (self);
  look_at_interfaces (self);
  look_at_clock (self);
  look_at_limits (self);
}
