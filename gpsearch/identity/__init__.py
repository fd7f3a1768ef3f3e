"""Identity of functions, objects, data and settings: equal text for what gives equal scores.

A study goes on only with the search that began it. What makes up that search is reduced to
digests that are equal in every process and differ where a score could.

===================== ============================================ ==============================
thing                 compared                                     not compared
===================== ============================================ ==============================
function              its code; default and closed-over values;    comments, docstrings, layout,
                      global values that it reads, functions and   type hints; what it changes
                      classes among them recursively               itself; random generators;
                                                                   modules imported inside of it
partial               function, arguments                          random generators
bound method,         function, class, state of the object         attributes that the method
callable object                                                    itself changes
class                 methods, attributes, bases                   docstring, type hints
object                class, and the state that pickle would keep  its address
array, data frame,    type, shape, names, every value              order in memory, format of
sparse matrix                                                      sparse storage
dict, set             entries                                      their order
estimator             class, parameters                            what it has learned
Keras object          class, configuration, weights                names
installed package     name of the function or class                version
===================== ============================================ ==============================

An object with a method ``fingerprint()`` tells its identity itself. An open file, a lock, a
generator, or an object that pickle refuses is told by its class alone: `Identity.unidentified`
names these, and a study says so when it is made.

`SCHEME`, the version of these rules, opens each fingerprint.
"""

from gpsearch.identity.function_code import function_code, same_source
from gpsearch.identity.parts import SCHEME, Identity, changed_parts, code_fingerprint, fingerprint

__all__ = [
    "SCHEME",
    "Identity",
    "changed_parts",
    "code_fingerprint",
    "fingerprint",
    "function_code",
    "same_source",
]
