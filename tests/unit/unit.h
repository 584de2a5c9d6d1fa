/* What every cmocka test includes, in the order cmocka asks for. */
#ifndef MCV_TESTS_UNIT_H
#define MCV_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#endif
