/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../context.h"

G_BEGIN_DECLS

/* Consent and liveness of one selected pair (RFC 7675, design 9.3): a clock
 * that says what to send and when to stop sending.
 *
 *  1. ice_consent_start when a pair is selected;
 *  2. tell it what was heard: _answered, _heard, _media;
 *  3. call _timeout at its _deadline until it says IDLE. */
typedef enum
{
  ICE_CONSENT_OFF,       /* no ICE: nothing to ask, nothing to expire */
  ICE_CONSENT_KEEPALIVE, /* the application switched consent off: Binding
                            indications (RFC 8445 11) */
  ICE_CONSENT_LITE, /* nothing is asked (RFC 7675 3): what is heard counts */
  ICE_CONSENT_CHECKS,
} IceConsentMode;

typedef enum
{
  ICE_CONSENT_IDLE,           /* nothing is due */
  ICE_CONSENT_SEND_CHECK,     /* a consent request */
  ICE_CONSENT_SEND_PROBE,     /* a liveness probe: the same request */
  ICE_CONSENT_SEND_KEEPALIVE, /* a Binding indication */
  ICE_CONSENT_EXPIRED,        /* stop sending media at once */
} IceConsentStep;

typedef enum
{
  ICE_DOUBT_NONE,
  ICE_DOUBT_UNANSWERED, /* a consent request is out: only an answer ends it */
  ICE_DOUBT_SILENT,     /* media that flowed stopped: any sign of life does */
} IceDoubt;

typedef struct
{
  IceConsentMode mode;
  IceTime rtt;
  IceTime granted_at; /* last signed success */
  IceTime next_at;    /* next consent request, or keepalive */
  IceTime heard_at;   /* last sign of life: answer, request, media */
  IceTime media_at;   /* last media in, 0: none */
  IceTime sent_at;    /* last packet out */
  IceTime asked_at;   /* last consent request or probe, 0: none */
  IceTime started_at;
  gboolean is_asked; /* the peer sends consent requests */

  /* Looking for media that stops. */
  IceTime watch_at, watch_until;
  IceTime looked_at_media; /* media_at at the last look */
  guint n_flowing;         /* looks in a row that found new media */
  gboolean stopped;        /* it flowed, and has stopped */
  /* The longest gap between packets of media, in this window and the last. */
  IceTime gap, gap_before;
  IceTime gap_until;

  IceDoubt doubt;
  IceTime doubt_at;
  IceTime probe_at, verdict_at;
  guint n_probes;
  gboolean suspected; /* something else than silence raised the doubt */
  /* So many answers are lost that media which comes says more; the peer tells
   * when ours does not (renominator.c). */
  gboolean lossy;
  IceTime alarmed_at; /* it did, in this doubt; 0: not */
  IceTime forsake_at; /* another pair may take over from then on */
  gboolean forsaken;  /* and now */
  IceTime forsaken_at;
  gboolean disconnected;
} IceConsent;

void ice_consent_start (IceConsent *self, IceContext *context,
    IceConsentMode mode, IceTime granted_at, IceTime rtt, IceTime now);
void ice_consent_stop (IceConsent *self);
/* A signed success on the pair. */
void ice_consent_answered (IceConsent *self, IceTime rtt, IceTime now);
/* RFC 7675 5.2: the peer said 403. Expires at the next timeout. */
void ice_consent_revoke (IceConsent *self);
/* A signed request from the peer on the pair. */
void ice_consent_heard (IceConsent *self, IceTime now);
/* A Binding indication, which nobody has signed: it counts for a lite agent
 * whose peer, older than RFC 7675, never sends anything better. */
void ice_consent_keepalive (IceConsent *self, IceTime now);
/* The pair may be gone: it is asked at once, and judged like one that did not
 * answer. */
void ice_consent_suspect (IceConsent *self, IceTime now);
/* The peer itself is in doubt, or shows up elsewhere while it is silent here:
 * likewise, and another pair may take over as soon as one request is not
 * answered in time. */
void ice_consent_alarm (IceConsent *self, IceTime now);
/* When media last came and went; 0: never. */
void ice_consent_media (IceConsent *self, IceTime received_at, IceTime sent_at);
/* The longest gap between two packets of media since the last call, 0: there
 * were no two. What comes regularly is missed soon. */
void ice_consent_gap (IceConsent *self, IceTime longest, IceTime now);
IceConsentStep
ice_consent_timeout (IceConsent *self, IceContext *context, IceTime now);
IceTime ice_consent_deadline (const IceConsent *self);
/* RFC 7675 5.1: how long to wait for the next request. */
IceTime ice_consent_period (IceContext *context);

G_END_DECLS
