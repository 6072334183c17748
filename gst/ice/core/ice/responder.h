/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "checklist.h"

G_BEGIN_DECLS

/* The server side of connectivity checks (RFC 8445 7.3): authenticates Binding
 * requests, answers them, and tells the checklists what they mean. Nothing
 * changes before a request is authenticated. */
typedef struct
{
  IceTime second;   /* unsigned errors are counted per second ... */
  guint n_unsigned; /* ... and beyond a limit become silence */
} IceResponder;

/* A Binding request that came to @local, from @from. */
IceVerdict ice_responder_receive (IceResponder *self, IceChecklistSet *set,
    IceComponent *component, IceCandidate *local, const IceAddress *from,
    const IceStunMessage *message, IceTime now);
/* One whose second half of the USERNAME names a peer that there is no branch
 * for yet. It is authentic, but not answered: a 401 would end the pair at the
 * peer, an answer would tell it of a session that nobody has made. It is kept
 * with @component until ice_responder_replay finds it. */
IceVerdict ice_responder_remember (IceResponder *self, IceChecklistSet *set,
    IceComponent *component, IceCandidate *local, const IceAddress *from,
    const IceStunMessage *message, IceTime now);
/* The peer's credentials are known: what came early is acted upon, to whichever
 * branch it came. */
void ice_responder_replay (
    IceChecklistSet *set, IceComponent *component, IceTime now);

G_END_DECLS
