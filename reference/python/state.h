/* SPDX-License-Identifier: MIT */
/*
 * What the module knows: its types, and the Python objects that it calls.
 *
 * There is one state for each interpreter that imports the module. A loop keeps a pointer to it,
 * and every other object finds it through its loop.
 */
#ifndef PYTHON_STATE_H
#define PYTHON_STATE_H

#include "compat.h"

#include <asy/asy.h>

/* Eager tasks are of 3.12, and so is this. */
#if PY_VERSION_HEX >= 0x030C0000
#define IMPORT_SWAP_CURRENT_TASK(IMPORT)                                                   \
    IMPORT(swap_current_task, "asyncio.tasks", "_swap_current_task")
#else
#define IMPORT_SWAP_CURRENT_TASK(IMPORT)
#endif

/* IMPORT(name of the field, module, attribute) */
#define MODULE_IMPORTS(IMPORT)                                                             \
    IMPORT(asyncio_handle, "asyncio", "Handle")                                            \
    IMPORT(asyncio_timer_handle, "asyncio", "TimerHandle")                                 \
    IMPORT(asyncio_read_transport, "asyncio", "ReadTransport")                             \
    IMPORT(asyncio_transport, "asyncio", "Transport")                                      \
    IMPORT(future, "asyncio", "Future")                                                    \
    IMPORT(task, "asyncio", "Task")                                                        \
    IMPORT(isfuture, "asyncio", "isfuture")                                                \
    IMPORT(ensure_future, "asyncio", "ensure_future")                                      \
    IMPORT(get_running_loop, "asyncio", "_get_running_loop")                               \
    IMPORT(get_event_loop, "asyncio", "get_event_loop")                                    \
    IMPORT(iscoroutine, "asyncio", "iscoroutine")                                          \
    IMPORT(cancelled_error, "asyncio", "CancelledError")                                   \
    IMPORT(invalid_state_error, "asyncio", "InvalidStateError")                            \
    IMPORT(sendfile_not_available_error, "asyncio", "SendfileNotAvailableError")           \
    IMPORT(register_task, "asyncio", "_register_task")                                     \
    IMPORT(unregister_task, "asyncio", "_unregister_task")                                 \
    IMPORT(enter_task, "asyncio", "_enter_task")                                           \
    IMPORT(leave_task, "asyncio", "_leave_task")                                           \
    IMPORT(current_task, "asyncio", "current_task")                                        \
    IMPORT_SWAP_CURRENT_TASK(IMPORT)                                                       \
    IMPORT(coroutine_class, "types", "CoroutineType")                                      \
    IMPORT(generator_class, "types", "GeneratorType")                                      \
    IMPORT(context_class, "contextvars", "Context")                                        \
    IMPORT(set_running_loop, "asyncio", "_set_running_loop")                               \
    IMPORT(get_asyncgen_hooks, "sys", "get_asyncgen_hooks")                                \
    IMPORT(set_asyncgen_hooks, "sys", "set_asyncgen_hooks")                                \
    IMPORT(get_origin_depth, "sys", "get_coroutine_origin_tracking_depth")                 \
    IMPORT(set_origin_depth, "sys", "set_coroutine_origin_tracking_depth")                 \
    IMPORT(monotonic, "time", "monotonic")                                                 \
    IMPORT(socket_class, "socket", "socket")                                               \
    IMPORT(sol_socket, "socket", "SOL_SOCKET")                                             \
    IMPORT(so_error, "socket", "SO_ERROR")                                                 \
    IMPORT(check_socket, "asy._sockets", "check_socket")                                   \
    IMPORT(af_inet, "socket", "AF_INET")                                                   \
    IMPORT(af_inet6, "socket", "AF_INET6")                                                 \
    IMPORT(sock_stream, "socket", "SOCK_STREAM")                                           \
    IMPORT(sock_dgram, "socket", "SOCK_DGRAM")                                             \
    IMPORT(sock_raw, "socket", "SOCK_RAW")                                                 \
    IMPORT(job_cancelled_error, "concurrent.futures", "CancelledError")                    \
    IMPORT(convert_exception, "asy._executors", "convert_exception")                       \
    IMPORT(check_callback, "asy._host", "check_callback")                                  \
    IMPORT(default_exception_handler, "asy._host", "default_exception_handler")            \
    IMPORT(log, "asy._host", "log")                                                        \
    IMPORT(describe_call, "asy._format", "describe_call")                                  \
    IMPORT(describe_callback, "asy._format", "describe_callback")                          \
    IMPORT(describe_handle, "asy._format", "describe_handle")                              \
    IMPORT(describe_method, "asy._format", "describe_method")                              \
    IMPORT(extract_stack, "asy._format", "extract_stack")                                  \
    IMPORT(handle_repr, "asy._format", "handle_repr")                                      \
    IMPORT(future_repr, "asy._native", "future_repr")                                      \
    IMPORT(task_repr, "asy._native", "task_repr")                                          \
    IMPORT(get_stack, "asy._native", "get_stack")                                          \
    IMPORT(print_stack, "asy._native", "print_stack")

struct module_state {
    PyTypeObject *handle_type;
    PyTypeObject *threadsafe_handle_type;       /* what call_soon_threadsafe returns */
    PyTypeObject *timer_handle_type;
    PyTypeObject *loop_type;
    PyTypeObject *future_type;
    PyTypeObject *future_iterator_type;
    PyTypeObject *task_type;
    PyTypeObject *native_coroutine_type;        /* the library's coroutines, for Python to await */
    PyTypeObject *read_pipe_transport_type;
    PyTypeObject *write_pipe_transport_type;
    PyObject     *run_until_complete_done;      /* the done callback of run_until_complete */
    PyObject     *copy_state;                   /* loop_executors.c */
    PyObject     *loop_keyword;                 /* ("loop",) */
    PyObject     *context_name;                 /* "context", as it stands in compiled code */
    PyObject     *empty_tuple;
    PyObject     *spare_handle;                 /* freed, with its memory kept; see handle_type.c */
    int           spare_handle_count;
    int           spare_handle_limit;
    asy_loop     *no_loop;                      /* closed: what a loop without __init__ has */
#define FIELD(name, module, attribute) PyObject *name;
    MODULE_IMPORTS(FIELD)
#undef FIELD
};

/* Which version of Python this is, as in sys.hexversion. */
#define RUNNING_SINCE(major, minor, micro)                                                 \
    (Py_Version >= (((unsigned long)(major) << 24) | ((minor) << 16) | ((micro) << 8)))

/* The state of the module that made the type, or one of its bases. Borrowed; NULL and a
 * TypeError if there is none.
 */
struct module_state *state_of_type(PyTypeObject *type);

/* For a struct that begins with the slots of a class of asyncio: are they as many as it thinks?
 * Returns 0, or -1 and an ImportError. */
int check_base_size(PyObject *base, size_t expected);

/* A type of the module with one base, or two: a new reference, or NULL and an exception. */
PyTypeObject *new_type(PyObject *module, PyType_Spec *spec, PyObject *base, PyObject *second_base);

#endif
