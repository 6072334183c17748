/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Consent freshness (RFC 7675) and liveness (design 9.3).
 *
 * Consent decides whether we may send: one request every 4 to 6 s, 30 s of
 * patience. Liveness decides what the user is told: a request without an
 * answer, or media that stops, raises a doubt; probes try to end it; when they
 * do not, the pair is disconnected until something is heard again. Packets
 * keep flowing all the while: only consent stops them. */
#include "consent.h"

#include "../purity.h"

/* RFC 7675 5.1: "Consent expires after 30 seconds." */
#define CONSENT_LIFETIME (30 * ICE_SECOND)
/* RFC 7675 5.1: a period of 5 s, "randomized from between 0.8 and 1.2 times
 * the basic period", never below 4 s. */
#define CONSENT_PERIOD_MIN (4 * ICE_SECOND)
#define CONSENT_PERIOD_SPREAD (2 * ICE_SECOND)
/* RFC 7675 3: "an ICE-lite agent does not generate consent checks". A full peer
 * is heard every 15 s at least: by media, its consent requests, or keepalives
 * (RFC 8445 11). One of them may be lost. */
#define LITE_SILENCE (20 * ICE_SECOND)
/* RFC 8445 11: Tr, "MUST NOT use a value smaller than 15 seconds". */
#define KEEPALIVE_PERIOD (15 * ICE_SECOND)

/* Design 9.3: probes are at least 500 ms apart and at most seven a silence.
 * The gaps grow, so that they also find the end of a long outage. */
#define PROBE_GAP (500 * ICE_MSEC)
#define MAX_PROBES 7
static const guint probe_gaps[MAX_PROBES] = { 1, 1, 2, 4, 8, 8, 8 };

/* Design 9.3: `disconnected` within 7 s when idle. A request leaves at most 6 s
 * after the last answer; it and one probe have 950 ms to be answered. */
#define ANSWER_GRACE (450 * ICE_MSEC)
/* The peer is heard but does not answer: two more probes, so that 20 % loss
 * is rarely (0.36^4) told as a disconnect; still within 8 s. */
#define HEARD_PATIENCE (1950 * ICE_MSEC)
/* Design 9.3: and 1.5 s after media stopped. */
#define MEDIA_SILENCE (500 * ICE_MSEC)
#define MEDIA_PATIENCE (1450 * ICE_MSEC)
/* Media flows when so many looks in a row, MEDIA_SILENCE apart, found some:
 * RTCP alone or a slow data channel does not. */
#define FLOWING 2
/* Where most answers are lost and media comes all the same: time for all the
 * probes, the last of which leaves after 16 s, and for another path before
 * consent ends. */
#define LOSSY_PATIENCE (20 * ICE_SECOND)
/* Looking goes on this long after media was last seen, so that an idle pair
 * costs nothing between consent requests. */
#define WATCH_FOR (5 * ICE_SECOND)
/* Design 9.3: "when media that flowed goes silent" the probe leaves at once.
 * Of media that comes regularly, a packet every 20 ms or a picture every 33, a
 * few that are missing are silence enough; to have it back within a second is
 * the aim (issue 4). */
#define REGULAR_SILENCE (200 * ICE_MSEC)
#define REGULAR_GAPS 3
#define GAP_WINDOW (2 * ICE_SECOND)
/* How long the answer to that probe is waited for before another pair may take
 * over; what is told to the user waits for MEDIA_PATIENCE all the same. */
#define FORSAKE_GRACE (200 * ICE_MSEC)

IceTime
ice_consent_period (IceContext *context)
{
  guint32 dice;

  ice_context_random (context, (guint8 *) &dice, sizeof dice);
  return CONSENT_PERIOD_MIN + dice % (CONSENT_PERIOD_SPREAD + 1);
}

void
ice_consent_start (IceConsent *self, IceContext *context, IceConsentMode mode,
    IceTime granted_at, IceTime rtt, IceTime now)
{
  *self = (IceConsent){
    .mode = mode,
    .rtt = rtt,
    .granted_at = granted_at,
    .started_at = now,
    .heard_at = now,
    .sent_at = now,
    .watch_at = now + MEDIA_SILENCE,
    .watch_until = now + WATCH_FOR,
  };
  /* A pair that is nominated again may have answered long ago: it is asked when
   * it would have been, had it been the selected one all the while. */
  self->next_at = mode == ICE_CONSENT_CHECKS
      ? MAX (now, granted_at + ice_consent_period (context))
      : now + KEEPALIVE_PERIOD;
}

void
ice_consent_stop (IceConsent *self)
{
  *self = (IceConsent){ .mode = ICE_CONSENT_OFF };
}

static void
end_doubt (IceConsent *self)
{
  self->doubt = ICE_DOUBT_NONE;
  self->disconnected = self->forsaken = FALSE;
  self->n_probes = 0;
}

static void
begin_doubt (IceConsent *self, IceDoubt doubt, IceTime since, IceTime probe_at,
    IceTime verdict_at)
{
  self->doubt = doubt;
  self->suspected = FALSE;
  self->doubt_at = since;
  self->probe_at = probe_at;
  self->verdict_at = verdict_at;
  self->forsake_at = ICE_TIME_NEVER;
  self->n_probes = 0;
  self->forsaken = FALSE;
  self->alarmed_at = 0;
}

/* How long no media is silence: less when it came regularly for a while. */
static IceTime
silence_of (const IceConsent *self)
{
  IceTime gap = MAX (self->gap, self->gap_before);

  if (self->gap_before == 0)
    return MEDIA_SILENCE;
  return CLAMP (REGULAR_GAPS * gap, REGULAR_SILENCE, MEDIA_SILENCE);
}

/* Answers are lost, and media comes regularly. What is known of it is as old
 * as the last look, one silence ago. */
static gboolean
is_carried_by_media (const IceConsent *self, IceTime now)
{
  return self->lossy && self->gap_before != 0 && !self->stopped &&
      now - self->media_at < 2 * silence_of (self);
}

static IceTime
heard_patience (const IceConsent *self)
{
  return MAX (HEARD_PATIENCE, 2 * self->rtt);
}

static IceTime
answer_time (const IceConsent *self)
{
  return MAX (FORSAKE_GRACE, 2 * self->rtt);
}

void
ice_consent_answered (IceConsent *self, IceTime rtt, IceTime now)
{
  if (self->mode != ICE_CONSENT_CHECKS)
    return;
  self->granted_at = now;
  self->heard_at = now;
  self->rtt = rtt;
  end_doubt (self);
}

void
ice_consent_revoke (IceConsent *self)
{
  self->granted_at = -CONSENT_LIFETIME;
}

static void
live (IceConsent *self, IceTime now)
{
  if (self->mode == ICE_CONSENT_LITE) {
    self->heard_at = MAX (self->heard_at, now);
    self->disconnected = FALSE;
  }
  if (self->mode != ICE_CONSENT_CHECKS || now <= self->heard_at)
    return;
  /* Back after a silence: a doubt of its own, that asks at once and, while
   * some are lost, in short gaps again: consent may be about to expire. */
  if (self->disconnected && now - self->heard_at > 2 * PROBE_GAP) {
    self->n_probes = 0;
    self->probe_at =
        MIN (self->probe_at, MAX (now, self->asked_at + PROBE_GAP));
  }
  self->heard_at = now;
  /* It was forsaken for the silence; the answer may still come. */
  if (self->stopped && !self->suspected && !self->disconnected) {
    self->forsake_at = ICE_TIME_NEVER;
    self->forsaken = FALSE;
  }
  if (self->doubt != ICE_DOUBT_SILENT || now <= self->doubt_at)
    return;
  end_doubt (self);
  /* The peer lives, but consent has aged meanwhile: do not wait for the next
   * request to renew it. */
  if (now > self->granted_at + CONSENT_PERIOD_MIN + CONSENT_PERIOD_SPREAD)
    begin_doubt (self, ICE_DOUBT_UNANSWERED, now, now, now + HEARD_PATIENCE);
}

void
ice_consent_heard (IceConsent *self, IceTime now)
{
  /* Checks come in the first seconds, too. */
  if (now >= self->started_at + CONSENT_PERIOD_MIN)
    self->is_asked = TRUE;
  live (self, now);
}

void
ice_consent_keepalive (IceConsent *self, IceTime now)
{
  if (self->mode == ICE_CONSENT_LITE && !self->is_asked)
    live (self, now);
}

void
ice_consent_suspect (IceConsent *self, IceTime now)
{
  IceTime probe_at =
      self->asked_at ? MAX (now, self->asked_at + PROBE_GAP) : now;

  if (self->mode != ICE_CONSENT_CHECKS || self->doubt != ICE_DOUBT_NONE)
    return;
  begin_doubt (self, ICE_DOUBT_UNANSWERED, now, probe_at,
      probe_at + PROBE_GAP + MAX (ANSWER_GRACE, self->rtt * 5 / 4));
  self->suspected = TRUE;
}

void
ice_consent_alarm (IceConsent *self, IceTime now)
{
  IceTime asked_at;

  if (self->mode != ICE_CONSENT_CHECKS)
    return;
  ice_consent_suspect (self, now);
  if (is_carried_by_media (self, now)) {
    if (self->alarmed_at == 0)
      self->alarmed_at = now;
    self->verdict_at =
        MIN (self->verdict_at, self->alarmed_at + heard_patience (self));
    return;
  }
  /* What was asked before is not given more time. */
  asked_at = self->asked_at >= self->doubt_at ? self->asked_at : self->probe_at;
  self->forsake_at = MIN (self->forsake_at, asked_at + answer_time (self));
}

/* While disconnected too: media that comes back does not pass the core. */
static gboolean
is_watching (const IceConsent *self)
{
  return self->watch_at <= self->watch_until || self->disconnected;
}

void
ice_consent_media (IceConsent *self, IceTime received_at, IceTime sent_at)
{
  self->sent_at = MAX (self->sent_at, sent_at);
  if (received_at <= self->media_at)
    return;
  self->media_at = received_at;
  live (self, received_at);
  if (received_at + WATCH_FOR > self->watch_until) {
    if (!is_watching (self))
      self->watch_at = received_at + MEDIA_SILENCE;
    self->watch_until = received_at + WATCH_FOR;
  }
}

void
ice_consent_gap (IceConsent *self, IceTime longest, IceTime now)
{
  if (longest == 0)
    return;
  if (now >= self->gap_until) {
    self->gap_before = now - self->gap_until < GAP_WINDOW ? self->gap : 0;
    self->gap = 0;
    self->gap_until = now + GAP_WINDOW;
  }
  self->gap = MAX (self->gap, longest);
}

/* A look at the media: did some come since the last one, and if it used to
 * come, has it stopped? */
static void
consent_look (IceConsent *self, IceTime now)
{
  IceTime silence = silence_of (self);

  if (self->media_at > self->looked_at_media) {
    self->looked_at_media = self->media_at;
    self->n_flowing++;
    self->stopped = FALSE;
  }
  if (now - self->media_at < silence) {
    self->watch_at = self->media_at + silence;
    return;
  }
  self->watch_at = now + MEDIA_SILENCE;
  if (self->n_flowing >= FLOWING) {
    IceTime verdict_at = self->media_at + MEDIA_PATIENCE;

    self->stopped = TRUE;
    if (self->doubt == ICE_DOUBT_NONE)
      begin_doubt (self, ICE_DOUBT_SILENT, self->media_at, now, verdict_at);
    else
      self->verdict_at = MIN (self->verdict_at, MAX (verdict_at, now));
    if (silence < MEDIA_SILENCE)
      ice_consent_alarm (self, now);
  }
  self->n_flowing = 0;
}

static void
forsake (IceConsent *self, IceTime now)
{
  if (!self->forsaken)
    self->forsaken_at = now;
  self->forsaken = TRUE;
}

/* Of a doubt that the peer's silence did not raise. */
static IceTime
patience_until (const IceConsent *self, IceTime now)
{
  if (self->doubt != ICE_DOUBT_UNANSWERED || self->stopped ||
      self->heard_at <= self->doubt_at)
    return 0;
  if (is_carried_by_media (self, now))
    return self->alarmed_at ? self->alarmed_at + heard_patience (self)
                            : self->doubt_at + LOSSY_PATIENCE;
  return self->suspected ? 0 : self->doubt_at + heard_patience (self);
}

static void
consent_judge (IceConsent *self, IceTime now)
{
  IceTime patience = patience_until (self, now);

  if (now < patience) {
    self->verdict_at = patience;
    return;
  }
  self->disconnected = TRUE;
  forsake (self, now);
  self->watch_at = now + MEDIA_SILENCE;
}

/* RFC 8445 11: "if no packet has been sent on that pair in the last Tr
 * seconds". */
static IceConsentStep
keep_alive (IceConsent *self, IceTime now)
{
  self->next_at = MAX (self->next_at, self->sent_at + KEEPALIVE_PERIOD);
  if (now < self->next_at)
    return ICE_CONSENT_IDLE;
  self->sent_at = now;
  return ICE_CONSENT_SEND_KEEPALIVE;
}

IceConsentStep
ice_consent_timeout (IceConsent *self, IceContext *context, IceTime now)
{
  switch (self->mode) {
    case ICE_CONSENT_OFF:
      return ICE_CONSENT_IDLE;
    case ICE_CONSENT_KEEPALIVE:
      return keep_alive (self, now);
    case ICE_CONSENT_LITE:
      if (now >= self->heard_at + CONSENT_LIFETIME) {
        ice_consent_stop (self);
        return ICE_CONSENT_EXPIRED;
      }
      self->disconnected = now >= self->heard_at + LITE_SILENCE;
      return keep_alive (self, now);
    case ICE_CONSENT_CHECKS:
      break;
  }

  if (now >= self->granted_at + CONSENT_LIFETIME) {
    ice_consent_stop (self);
    return ICE_CONSENT_EXPIRED;
  }
  if (now >= self->watch_at && is_watching (self))
    consent_look (self, now);
  if (self->doubt != ICE_DOUBT_NONE && !self->disconnected &&
      now >= self->verdict_at)
    consent_judge (self, now);
  if (self->doubt != ICE_DOUBT_NONE && now >= self->forsake_at)
    forsake (self, now);

  if (now >= self->next_at) {
    IceTime first_probe = now + MAX (PROBE_GAP, self->rtt * 5 / 4);

    self->next_at = now + ice_consent_period (context);
    self->sent_at = self->asked_at = now;
    if (self->doubt == ICE_DOUBT_NONE)
      begin_doubt (self, ICE_DOUBT_UNANSWERED, now, first_probe,
          first_probe + MAX (ANSWER_GRACE, self->rtt * 5 / 4));
    else
      self->probe_at = MAX (self->probe_at, first_probe);
    return ICE_CONSENT_SEND_CHECK;
  }
  if (self->doubt != ICE_DOUBT_NONE && self->n_probes < MAX_PROBES &&
      now >= self->probe_at) {
    self->probe_at = now + PROBE_GAP * probe_gaps[self->n_probes++];
    self->sent_at = self->asked_at = now;
    return ICE_CONSENT_SEND_PROBE;
  }
  return ICE_CONSENT_IDLE;
}

IceTime
ice_consent_deadline (const IceConsent *self)
{
  IceTime deadline;

  if (self->mode == ICE_CONSENT_OFF)
    return ICE_TIME_NEVER;
  if (self->mode == ICE_CONSENT_KEEPALIVE)
    return MAX (self->next_at, self->sent_at + KEEPALIVE_PERIOD);
  if (self->mode == ICE_CONSENT_LITE) {
    deadline =
        self->heard_at + (self->disconnected ? CONSENT_LIFETIME : LITE_SILENCE);
    return MIN (
        deadline, MAX (self->next_at, self->sent_at + KEEPALIVE_PERIOD));
  }

  deadline = MIN (self->next_at, self->granted_at + CONSENT_LIFETIME);
  if (is_watching (self))
    deadline = MIN (deadline, self->watch_at);
  if (self->doubt != ICE_DOUBT_NONE) {
    if (!self->disconnected)
      deadline = MIN (deadline, self->verdict_at);
    if (!self->forsaken)
      deadline = MIN (deadline, self->forsake_at);
    if (self->n_probes < MAX_PROBES)
      deadline = MIN (deadline, self->probe_at);
  }
  return deadline;
}
