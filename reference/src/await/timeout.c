/* SPDX-License-Identifier: MIT */
/* */
#include <asy/asy.h>
