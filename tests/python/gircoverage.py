# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which methods and signals of a GIR were called and heard.

Every method of a namespace is wrapped so that a call is remembered, and a
signal counts when a handler of it ran.
"""

import functools
import xml.etree.ElementTree as ElementTree

CORE = "{http://www.gtk.org/introspection/core/1.0}"
GLIB = "{http://www.gtk.org/introspection/glib/1.0}"
TYPES = ("class", "interface", "record")
CALLABLES = ("constructor", "method", "function")


class Coverage:
    def __init__(self, gir, module):
        self.module = module
        self.wanted = set()
        self.touched = set()
        namespace = ElementTree.parse(gir).getroot().find(CORE + "namespace")
        for kind in TYPES:
            for node in namespace.findall(CORE + kind):
                # The structs of classes and interfaces are no objects.
                if not node.get(GLIB + "is-gtype-struct-for") and node.get("introspectable") != "0":
                    self.read_type(node)
        for node in namespace.findall(CORE + "function"):
            self.read_callable(module, None, node)

    def read_type(self, node):
        name = node.get("name")
        cls = getattr(self.module, name)
        for kind in CALLABLES:
            for callable_node in node.findall(CORE + kind):
                self.read_callable(cls, name, callable_node)
        for signal in node.findall(GLIB + "signal"):
            self.wanted.add(f"{name}::{signal.get('name')}")

    def read_callable(self, owner, type_name, node):
        if node.get("introspectable") == "0" or node.get("moved-to"):
            return
        name = node.get("name")
        full = f"{type_name}.{name}" if type_name else name
        self.wanted.add(full)
        original = getattr(owner, name)
        is_method = node.tag == CORE + "method"

        # A method is looked up unbound, so that the instance comes first.
        @functools.wraps(original, assigned=("__doc__",))
        def wrapper(*arguments, **named):
            self.touched.add(full)
            return original(*arguments, **named)

        setattr(owner, name, wrapper if is_method or type_name is None else staticmethod(wrapper))

    def listen(self, instance, signal, handler):
        """Connects, and remembers when the handler ran."""
        name = type(instance).__gtype__
        owner = next(w.split("::")[0] for w in self.owners(signal, name))

        def heard(*arguments):
            self.touched.add(f"{owner}::{signal}")
            return handler(*arguments)

        return instance.connect(signal, heard)

    def owners(self, signal, gtype):
        for wanted in self.wanted:
            owner, _, wanted_signal = wanted.partition("::")
            if wanted_signal == signal and gtype.is_a(getattr(self.module, owner).__gtype__):
                yield wanted

    def missing(self):
        return sorted(self.wanted - self.touched)
