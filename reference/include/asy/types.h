/* SPDX-License-Identifier: MIT */
/*
 * The name of every type, so that no header needs another's structs, and the macros that stand
 * on declarations. Structs whose fields are public are defined in the header of their section.
 */
#ifndef ASY_TYPES_H
#define ASY_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define ASY_BEGIN_DECLARATIONS extern "C" {
#define ASY_END_DECLARATIONS }
#else
#define ASY_BEGIN_DECLARATIONS
#define ASY_END_DECLARATIONS
#endif

/* The library is built with hidden visibility; what it exports says so. */
#define ASY_API __attribute__((visibility("default")))

/* The compiler warns where nobody looks at an exception. */
#define ASY_MUST_CHECK __attribute__((warn_unused_result))

/* "No exception." */
#define ASY_OK NULL

typedef struct asy_error asy_error;                     /* error.h */
typedef struct asy_context asy_context;                 /* context.h */
typedef struct asy_context_var asy_context_var;
typedef struct asy_context_token asy_context_token;
typedef struct asy_callback asy_callback;               /* handle.h */
typedef struct asy_handle asy_handle;
typedef struct asy_timer_handle asy_timer_handle;
typedef struct asy_handle_ops asy_handle_ops;
typedef struct asy_loop asy_loop;                       /* loop.h */
typedef struct asy_loop_options asy_loop_options;
typedef struct asy_clock asy_clock;
typedef struct asy_report asy_report;
typedef struct asy_report_item asy_report_item;
typedef struct asy_awaited asy_awaited;
typedef struct asy_executor asy_executor;               /* executor.h */
typedef struct asy_host asy_host;                       /* host.h */
typedef struct asy_future asy_future;                   /* future.h */
typedef struct asy_future_ops asy_future_ops;
typedef struct asy_coro asy_coro;                       /* coro.h */
typedef struct asy_coro_type asy_coro_type;
typedef struct asy_task asy_task;                       /* task.h */
typedef struct asy_task_options asy_task_options;
typedef struct asy_protocol asy_protocol;               /* protocol.h */
typedef struct asy_protocol_methods asy_protocol_methods;
typedef struct asy_transport asy_transport;             /* transport.h */
typedef struct asy_transport_owner asy_transport_owner;
typedef struct asy_address asy_address;                 /* socket.h */
typedef struct asy_pipe asy_pipe;                       /* pipe.h */

ASY_BEGIN_DECLARATIONS

/* Memory of the size, zeroed. Never NULL: where there is none, the process ends with a sentence
 * on stderr. What hosts give to the library to free (host.h) comes from here.
 */
ASY_API void *asy_alloc(size_t size);

/* Give memory of asy_alloc() back. NULL is accepted. */
ASY_API void asy_free(void *memory);

/* sprintf into memory of asy_alloc(); the caller frees it. */
ASY_API char *asy_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

ASY_END_DECLARATIONS

#endif
