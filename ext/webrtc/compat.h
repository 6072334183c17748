/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/webrtc/webrtc.h>

/* GStreamer's WebRTC API is declared unstable: what differs between 1.22 and
 * the present is here. */

/* add_candidate is given a promise. */
#if GST_CHECK_VERSION(1, 23, 1)
#define ICE_WEBRTC_PROMISE_PARAM , GstPromise *promise
#define ICE_WEBRTC_PROMISE promise
#else
#define ICE_WEBRTC_PROMISE_PARAM
#define ICE_WEBRTC_PROMISE NULL
#endif

/* close, get_selected_candidate_pair, GstWebRTCICECandidate, and what was added
 * to GstWebRTCICECandidateStats. */
#define ICE_WEBRTC_HAVE_CLOSE GST_CHECK_VERSION (1, 27, 50)
