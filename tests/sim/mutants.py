#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Seeds bugs in a private copy of the core: does the simulator notice?

    tests/sim/mutants.py [--runs 400] [WORD...]     WORD: part of a file's name

Each row is one small edit and the invariant (security.md 6.2) that is expected
to see it. One that survives is either work for the simulator or a line that
other tests own. By hand: some minutes. docs/testing.md says what came of it.
"""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ["gst/ice/base", "gst/ice/core", "tests/sim"]
PROGRAMS = ["sim-scenarios.c"]
CC = ["ccache", "cc"] if shutil.which("ccache") else ["cc"]
ICE, TURN = "gst/ice/core/ice/", "gst/ice/core/turn/"
TIMEOUT = 600
MIN_FOUND = 50

# file, old text (once in the file), new text, invariant
MUTANTS = [
    (ICE + "nominator.c", "return NULL; /* one and only one */", "continue;", "I2"),
    (ICE + "nominator.c", "  if (!set->controlling || set->policy.lite)\n", "  if (set->policy.lite)\n", "I2"),
    (ICE + "nominator.c", "pair->state == ICE_PAIR_SUCCEEDED &&\n", "\n", "I2"),
    (ICE + "checker.c", "      (is_being_nominated (pair) || is_nominated_again (set, pair));",
     "      TRUE;", "I2"),
    (ICE + "checker.c", "if (!is_authentic (set, pair, message))",
     "if (FALSE)", "I7"),
    (ICE + "checker.c", "pair->generation->remote_key, ICE_STUN_INTEGRITY_SHA1))\n    return TRUE;",
     "pair->generation->remote_key, ICE_STUN_INTEGRITY_SHA1))\n    return TRUE;\n"
     "  if (message->klass == ICE_STUN_ERROR)\n    return TRUE;", "I7"),
    (ICE + "checker.c", "ice_checklist_thaw_mates (set, pair);", "", "I9"),
    (ICE + "checker.c", "ice_pair_update_priority (pair, set->controlling);", "", "I1"),
    (ICE + "checker.c", "      ice_context_take_slot (set->context, now)) {", "      TRUE) {", "I8"),
    (ICE + "checker.c", "  pair->granted_at = now;\n", "", "I4"),
    (ICE + "checker.c", "ice_consent_answered (&component->consent, pair->rtt, now);", ";", "I9"),
    (ICE + "checker.c", "ice_checklist_set_switch_role (set, !set->controlling, TRUE);", ";", "I10"),
    (ICE + "responder.c", "  if (code)\n    return refuse (self, set, local, from, message, code, now);",
     "  if (code && generation == NULL)\n    return refuse (self, set, local, from, message, code, now);", "I6"),
    (ICE + "responder.c", "  return is_signed (message, (*ret_generation)->local_key, ret_integrity) ? 0",
     "  return is_signed (message, (*ret_generation)->local_key, ret_integrity) || TRUE ? 0", "I6"),
    (ICE + "responder.c", "keep = set->controlling == (set->tie_breaker >= theirs);",
     "keep = TRUE;", "I10"),
    (ICE + "responder.c", "keep = set->controlling == (set->tie_breaker >= theirs);",
     "keep = FALSE;", "I10"),
    (ICE + "responder.c", "  trigger (set, pair, nominated, now);\n", "  ;\n", "I9"),
    (ICE + "responder.c", "    pair->nomination = ICE_NOMINATION_WANTED;", "    ;", "I9"),
    (ICE + "consent.c", "#define CONSENT_LIFETIME (30 * ICE_SECOND)",
     "#define CONSENT_LIFETIME (45 * ICE_SECOND)", "I4"),
    (ICE + "consent.c", "  if (now >= self->granted_at + CONSENT_LIFETIME) {\n    ice_consent_stop (self);\n    return ICE_CONSENT_EXPIRED;",
     "  if (FALSE) {\n    return ICE_CONSENT_EXPIRED;", "I4"),
    (ICE + "consent.c", "self->next_at = now + ice_consent_period (context);", "", "I11"),
    (ICE + "consent.c", "self->disconnected = self->forsaken = FALSE;", "self->forsaken = FALSE;", "I9"),
    (TURN + "allocation.c", "#define REFRESH_EARLY 60", "#define REFRESH_EARLY -60", "I12"),
    (TURN + "allocation.c", "  self->refresh_at = now + refresh_after * ICE_SECOND;",
     "  self->refresh_at = ICE_TIME_NEVER;", "I12"),
    (TURN + "allocation.c", "  self->refresh_at = now + refresh_after * ICE_SECOND;",
     "  self->refresh_at = now;", "I12"),
    (TURN + "allocation.c", "    send_refresh (self, 0, now);\n    self->state = ICE_ALLOCATION_RELEASING;\n  } else",
     "    self->state = ICE_ALLOCATION_RELEASING;\n  } else", "I12"),
    (TURN + "allocation.c", "    send_refresh (self, self->lifetime, now);\n  } else if (what",
     "    ;\n  } else if (what", "I12"),
    (TURN + "request.c", "  if (answer->klass != ICE_STUN_SUCCESS ||\n      !ice_stun_auth_verify (link->auth, answer))",
     "  if (answer->klass != ICE_STUN_SUCCESS)", "I7"),
    (TURN + "request.c", "  if (!ice_stun_auth_verify (link->auth, answer))\n    return ICE_TURN_ANSWER_DISCARDED;",
     "", "I7"),
    (TURN + "lease.c", "  self->renew_at = now + self->renew_after;",
     "  self->renew_at = ICE_TIME_NEVER;", "I12"),
    (TURN + "lease.c", "    self->renew_at = ICE_TIME_NEVER;\n    return ICE_LEASE_RENEW;",
     "    return ICE_LEASE_RENEW;", "I12"),
    (ICE + "gatherer-turn.c", "!query->retried &&\n", "FALSE &&\n", "I9"),
    (ICE + "gatherer-stream.c", "  ice_allocation_verify (query->allocation, now);\n", "", "I9"),
    ("gst/ice/core/core-select.c", "    state = ICE_STATE_CHECKING;", "    state = ICE_STATE_NEW;", "I14"),
    ("gst/ice/core/core-timers.c", "  ice_core_stop_component (self, component);\n", "", "I4"),
    ("gst/ice/core/core-timers.c", "    deadline = MIN (deadline, fail_at (component));", "", "I9"),
    ("gst/ice/core/context.c", "  self->own_slot = self->next_slot = now + self->ta;", "  self->own_slot = self->next_slot = now;", "I8"),
    ("gst/ice/core/context.c", "text[i] = ice_chars[text[i] & 63];", "text[i] = ice_chars[0];", "I13"),
    (ICE + "checker.c", '"check answered with error %u", code);',
     '"check answered with error %u to %s", code,\n      pair->generation->username);', "I13"),
    (ICE + "lite.c", "      return !ice_address_equal (&old->from, from);", "      return FALSE;", "I3"),
    (ICE + "responder.c", "    return pair || request->use_candidate || !was_given_up (request);",
     "    return TRUE;", "I9"),
    (ICE + "stream.c", "  g_array_unref (self->nominations);\n", "", "I15"),
    (ICE + "stream.c", "  g_array_unref (self->accepts);\n", "", "I15"),
    ("gst/ice/core/context.c", "if (self->world.reserve && !self->reserved) {", "if (FALSE) {", "I8"),
    ("gst/ice/core/core-timers.c", "#define PAC_TIME (39500 * ICE_MSEC)",
     "#define PAC_TIME (9500 * ICE_MSEC)", "I9"),
    (ICE + "checklist-set.c", "#define PATIENT_SENDS 2", "#define PATIENT_SENDS 8", "I9"),
    (ICE + "nominator.c", "pair->priority <= nominated->shared_priority))", "TRUE))", "I1"),
    # TCP
    (ICE + "checker-tcp.c", "  if (pair->local->tcp_type != ICE_TCP_TYPE_PASSIVE)\n    ice_checklist_trigger (pair);\n",
     "", "I9"),
    (ICE + "checker-tcp.c", "  if (pair->local->tcp_type == ICE_TCP_TYPE_SO)\n    connection = ",
     "  if (FALSE)\n    connection = ", "I9"),
    (ICE + "checker-tcp.c", "  if (pair->connecting)\n    return FALSE;\n", "", "I8"),
    (ICE + "checker-tcp.c", "    if (!pair->reopening || pair->local->tcp_type != ICE_TCP_TYPE_SO)\n", "", "I9"),
    (ICE + "checker-tcp.c", "  if (pair->state == ICE_PAIR_IN_PROGRESS || pair->reopening)\n    ice_checklist_trigger (pair);\n",
     "", "I9"),
    ("gst/ice/core/core-tcp.c", "      ice_checker_send_check (set, pair, now);\n", "      ;\n", "I9"),
    ("gst/ice/core/core-tcp.c", "    return ICE_TIME_NEVER; /* the peer may still nominate it */",
     "    return connection->used_at;", "I9"),
    ("gst/ice/core/core-tcp.c", "  ice_component_unaccept_local (\n      component, &self->context, self->gatherer, local);\n",
     "", "I3"),
    ("gst/ice/core/core-select.c", "pair->reopening || !ice_pair_is_connected (pair)", "FALSE", "I3"),
    (ICE + "pair.c", "    local = ice_candidate_learnt_priority (self->local);\n", "    ;\n", "I1"),
    # forks
    ("gst/ice/core/core-fork.c", "    if (generation && generation->remote_ufrag)\n      return component;\n", "", "I9"),
    ("gst/ice/core/core-fork.c", "    if (ice_component_accepts (component, local, from))\n      return component;\n", "", "I9"),
    ("gst/ice/core/core-fork.c", "  if (ice_checklist_set_is_shared_local (stream->set, stream, local))\n    return;\n",
     "", "I9"),
    ("gst/ice/core/core-fork.c", "  set->forking = origin->forking = TRUE;\n", "", "I9"),
    ("gst/ice/core/core-fork.c", "  copy_locals (self, stream);\n", "", "I9"),
    (ICE + "checklist.c", "  if (ice_checklist_set_is_shared_peer (self, pair))\n    return;\n", "", "I9"),
    (ICE + "checklist.c", "pair->local->kind != ICE_CANDIDATE_RELAYED || has_heir (pair))",
     "pair->local->kind != ICE_CANDIDATE_RELAYED)", "I12"),
    # two families
    (TURN + "allocation-options.c", "  return options->both_families && !options->reserve && !options->has_token;",
     "  return FALSE;", "I9"),
    (ICE + "gatherer-allocate.c", "  return has_socket_of (self, query->socket->stream, other) &&\n      has_address_of (query->server, other);",
     "  return TRUE;", "I9"),
    # what was mended last
    (ICE + "checker.c", "      (is_being_nominated (pair) || is_nominated_again (set, pair));",
     "      is_being_nominated (pair);", "I9"),
    (ICE + "consent.c", "MAX (now, granted_at + ice_consent_period (context))", "now + ice_consent_period (context)", "I9"),
    (ICE + "renominator.c", "selected->nomination == ICE_NOMINATION_DONE)\n    selected->nomination", "FALSE)\n    selected->nomination", "I1"),
]


def run(command, **options):
    return subprocess.run(command, capture_output=True, text=True, **options)


class Copy:
    """The core and the simulator, compiled without Meson."""

    def __init__(self, folder):
        self.folder = folder
        self.flags = run(["pkg-config", "--cflags", "glib-2.0", "libcrypto"]).stdout.split()
        self.libs = run(["pkg-config", "--libs", "glib-2.0", "libcrypto"]).stdout.split()
        for name in FOLDERS:
            shutil.copytree(ROOT / name, folder / name)
        self.sources = [path for name in FOLDERS
                        for path in sorted((folder / name).rglob("*.c"))
                        if path.name not in PROGRAMS]
        for source in self.sources:
            problem = self.compile(source)
            if problem:
                sys.exit(problem)

    def compile(self, source):
        command = [*CC, "-std=gnu11", "-O1", "-w", f"-I{self.folder}", "-c", source,
                   "-o", source.with_suffix(".o"), *self.flags]
        return run(command).stderr

    def link(self):
        objects = [source.with_suffix(".o") for source in self.sources]
        return run([*CC, "-o", self.folder / "sim", *objects, *self.libs]).stderr

    def simulate(self, runs):
        """What was noticed first; None: nothing."""
        try:
            result = run([self.folder / "sim", "--stop", "--runs", str(runs)], timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            return f"I11: no end in {TIMEOUT} s"
        if result.returncode == 0:
            return None
        lines = [line for line in result.stdout.splitlines()
                 if line.startswith("# ") and " is late: " not in line]
        return lines[0][2:] if lines else f"died, code {result.returncode}"


def try_mutant(copy, mutant, runs):
    name, old, new, _ = mutant
    source = copy.folder / name
    text = source.read_text()
    if text.count(old) != 1:
        return "STALE: the text is there %d times" % text.count(old)
    source.write_text(text.replace(old, new))
    try:
        problem = copy.compile(source) or copy.link()
        if problem:
            return "STALE: " + problem.splitlines()[0]
        return copy.simulate(runs)
    finally:
        source.write_text(text)
        copy.compile(source)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=400)
    parser.add_argument("--nice", type=int, default=10)
    parser.add_argument("words", nargs="*")
    args = parser.parse_args()
    os.nice(args.nice)
    counts = {"killed": 0, "survived": 0, "stale": 0, "as expected": 0}

    with tempfile.TemporaryDirectory() as folder:
        copy = Copy(pathlib.Path(folder))
        problem = copy.link() or copy.simulate(args.runs)
        if problem:
            sys.exit(f"without a mutant: {problem}")
        for number, mutant in enumerate(MUTANTS, 1):
            name, old, new, expected = mutant
            if args.words and not any(word in name for word in args.words):
                continue
            noticed = try_mutant(copy, mutant, args.runs)
            stale = noticed is not None and noticed.startswith("STALE")
            verdict = "stale" if stale else "killed" if noticed else "survived"
            counts[verdict] += 1
            counts["as expected"] += bool(noticed) and f"{expected}:" in noticed
            print(f"{number:2} {verdict:8} {expected:4} {name.split('/')[-1]}:"
                  f" {old.split(chr(10))[0].strip()[:50]}\n      {noticed or ''}", flush=True)
    print(", ".join(f"{count} {what}" for what, count in counts.items()))
    return counts["stale"] > 0 or (not args.words and counts["killed"] < MIN_FOUND)


if __name__ == "__main__":
    sys.exit(main())
