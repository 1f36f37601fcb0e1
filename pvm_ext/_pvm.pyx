# cython: language_level=3, binding=True, embedsignature=True
"""The functions of libpvm3 and libgpvm3; use them through `pvm_ext`."""

cimport cython

from .libpvm cimport *

include "parts/check.pxi"
include "parts/convert.pxi"
include "parts/waiting.pxi"
include "parts/links.pxi"
include "parts/tasks.pxi"
include "parts/hosts.pxi"
include "parts/options.pxi"
include "parts/messages.pxi"
include "parts/packing.pxi"
include "parts/frames.pxi"
include "parts/objects.pxi"
include "parts/typed.pxi"
include "parts/groups.pxi"
include "parts/handlers.pxi"
include "parts/mailbox.pxi"
include "parts/registration.pxi"
include "parts/beat.pxi"
include "parts/output.pxi"

set_up()
