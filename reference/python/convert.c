/* SPDX-License-Identifier: MIT */
/*
 * Python values to C values and back.
 *
 * Arguments are sorted by hand and not by PyArg_Parse..., because call_soon() is the hottest
 * method there is and must not build a tuple that it then takes apart.
 */
#include "convert.h"

#include "handle_type.h"
#include "handling.h"
#include "protocol_bridge.h"
#include "raise.h"
#include "task_type.h"
#include "transport_type.h"

#include <limits.h>
#include <string.h>

/* ---- arguments ------------------------------------------------------------------- */

static int
unexpected_keyword(const struct signature *signature, PyObject *name)
{
    PyErr_Format(PyExc_TypeError, "%s.%s() got an unexpected keyword argument '%U'",
                 signature->class_name, signature->method, name);
    return -1;
}

int
multiple_values(const struct signature *signature, PyObject *name)
{
    PyErr_Format(PyExc_TypeError, "%s.%s() got multiple values for argument '%U'",
                 signature->class_name, signature->method, name);
    return -1;
}

static int
missing_arguments(const struct signature *signature, bool first, bool callback)
{
    if (first && callback)
        PyErr_Format(PyExc_TypeError, "%s.%s() missing 2 required positional arguments: "
                                      "'%s' and 'callback'",
                     signature->class_name, signature->method, signature->first);
    else
        PyErr_Format(PyExc_TypeError, "%s.%s() missing 1 required positional argument: '%s'",
                     signature->class_name, signature->method,
                     first ? signature->first : "callback");
    return -1;
}

/* One argument that was given by its name.
 * Spec: call_soon.no-keywords, call_later.no-keywords, add_reader.partial, add_writer.partial */
static int
take_keyword(const struct signature *signature, PyObject *name, PyObject *value,
             struct call *call)
{
    PyObject **place = NULL;

    if (signature->takes_context && PyUnicode_CompareWithASCIIString(name, "context") == 0) {
        call->context = value == Py_None ? NULL : value;
        return 0;
    }
    if (PyUnicode_CompareWithASCIIString(name, "callback") == 0)
        place = &call->callback;
    else if (signature->first && PyUnicode_CompareWithASCIIString(name, signature->first) == 0)
        place = &call->first;
    if (!place)
        return unexpected_keyword(signature, name);
    if (*place)
        return multiple_values(signature, name);
    *place = value;
    return 0;
}

/* Spec: call_soon.context-kwonly, call_soon_threadsafe.context, call_later.context-kwonly,
 * call_at.context, add_reader.args, add_writer.args */
int
parse_call(struct module_state *state, const struct signature *signature, PyObject *const *args,
           Py_ssize_t arg_count, PyObject *keywords, struct call *ret_call)
{
    Py_ssize_t keyword_count = keywords ? PyTuple_Size(keywords) : 0;
    Py_ssize_t next = 0;

    *ret_call = (struct call){ 0 };
    if (signature->first && next < arg_count)
        ret_call->first = args[next++];
    if (next < arg_count)
        ret_call->callback = args[next++];
    ret_call->args = args + next;
    ret_call->arg_count = arg_count - next;
    for (Py_ssize_t i = 0; i < keyword_count; i++) {
        PyObject *name = PyTuple_GetItem(keywords, i);
        PyObject *value = args[arg_count + i];
        if (name == state->context_name && signature->takes_context)
            ret_call->context = value == Py_None ? NULL : value;
        else if (take_keyword(signature, name, value, ret_call) < 0)
            return -1;
    }
    bool no_first = signature->first && !ret_call->first;
    if (no_first || !ret_call->callback)
        return missing_arguments(signature, no_first, !ret_call->callback);
    return 0;
}

PyObject *
parse_one(const struct signature *signature, PyObject *const *args, Py_ssize_t arg_count,
          PyObject *keywords)
{
    Py_ssize_t keyword_count = keywords ? PyTuple_Size(keywords) : 0;
    PyObject *value = arg_count > 0 ? args[0] : NULL;

    for (Py_ssize_t i = 0; i < keyword_count; i++) {
        PyObject *name = PyTuple_GetItem(keywords, i);
        if (PyUnicode_CompareWithASCIIString(name, signature->first) != 0) {
            unexpected_keyword(signature, name);
            return NULL;
        }
        if (value) {
            multiple_values(signature, name);
            return NULL;
        }
        value = args[arg_count + i];
    }
    if (arg_count > 1)
        return PyErr_Format(PyExc_TypeError, "%s.%s() takes 2 positional arguments but %zd were "
                                             "given",
                            signature->class_name, signature->method, arg_count + 1);
    if (!value)
        missing_arguments(signature, true, false);
    return value;
}

/* ---- single values --------------------------------------------------------------- */

/* int(object.fileno()): a new reference, or NULL and selectors' ValueError. */
static PyObject *
call_fileno(PyObject *object)
{
    PyObject *result = PyObject_CallMethod(object, "fileno", NULL);
    PyObject *number = result ? PyNumber_Long(result) : NULL;

    Py_XDECREF(result);
    if (!number && (PyErr_ExceptionMatches(PyExc_AttributeError)
                    || PyErr_ExceptionMatches(PyExc_TypeError)
                    || PyErr_ExceptionMatches(PyExc_ValueError))) {
        PyErr_Clear();
        PyErr_Format(PyExc_ValueError, "Invalid file object: %R", object);
    }
    return number;
}

/* Spec: add_reader.fileobj */
int
fd_from_object(PyObject *object, int *ret_fd)
{
    PyObject *number = PyLong_Check(object) ? Py_NewRef(object) : call_fileno(object);

    if (!number)
        return -1;
    int overflow;
    long fd = PyLong_AsLongAndOverflow(number, &overflow);
    bool too_small = overflow < 0 || fd < INT_MIN;
    if (too_small)
        PyErr_Format(PyExc_ValueError, "Invalid file descriptor: %S", number);
    Py_DECREF(number);
    if (too_small)
        return -1;
    *ret_fd = (int)fd;
    return overflow > 0 || fd > INT_MAX;
}

int
seconds_from_object(PyObject *object, double *ret_seconds)
{
    *ret_seconds = PyFloat_AsDouble(object);
    return *ret_seconds == -1.0 && PyErr_Occurred() ? -1 : 0;
}

static const struct {
    const char       *name;
    asy_selector_kind kind;
} selectors[] = {
    { "epoll", ASY_SELECTOR_EPOLL },
    { "poll", ASY_SELECTOR_POLL },
    { "select", ASY_SELECTOR_SELECT },
};

int
selector_from_object(PyObject *object, asy_selector_kind *ret_kind)
{
    *ret_kind = ASY_SELECTOR_DEFAULT;
    if (object == Py_None)
        return 0;
    for (size_t i = 0; PyUnicode_Check(object) && i < sizeof selectors / sizeof selectors[0]; i++) {
        if (PyUnicode_CompareWithASCIIString(object, selectors[i].name) == 0) {
            *ret_kind = selectors[i].kind;
            return 0;
        }
    }
    PyErr_Format(PyUnicode_Check(object) ? PyExc_ValueError : PyExc_TypeError,
                 "selector must be 'epoll', 'poll', 'select' or None, not %R", object);
    return -1;
}

/* ---- texts ----------------------------------------------------------------------- */

/* A str may hold what UTF-8 text in C cannot: the bytes of a file name in another encoding, which
 * Python represents by surrogates, and which become these bytes again; and NUL, which travels as
 * two bytes that are not UTF-8 (and so are surrogates on the way). */
#define NUL_BYTES "\xC0\x80"

/* text.replace("\0", NUL_BYTES), or the converse. Steals text. */
static PyObject *
replace_nul(PyObject *text, bool back)
{
    PyObject *nul = PyUnicode_FromStringAndSize("", 1);
    PyObject *bytes = PyUnicode_DecodeUTF8(NUL_BYTES, sizeof NUL_BYTES - 1, "surrogateescape");
    PyObject *replaced = text && nul && bytes
                             ? PyUnicode_Replace(text, back ? bytes : nul, back ? nul : bytes, -1)
                             : NULL;
    Py_XDECREF(bytes);
    Py_XDECREF(nul);
    Py_XDECREF(text);
    return replaced;
}

/* A new bytes object, or NULL. Other surrogates are shown as escape sequences. Steals text. */
static PyObject *
encode(PyObject *text)
{
    PyObject *without_nul = text ? replace_nul(text, false) : NULL;
    PyObject *bytes = NULL;

    if (without_nul)
        bytes = PyUnicode_AsEncodedString(without_nul, "utf-8", "surrogateescape");
    if (without_nul && !bytes && PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
        PyErr_Clear();
        bytes = PyUnicode_AsEncodedString(without_nul, "utf-8", "backslashreplace");
    }
    Py_XDECREF(without_nul);
    return bytes;
}

char *
text_from_object(PyObject *text)
{
    PyObject *bytes = encode(text);
    char *copy = bytes ? asy_format("%s", PyBytes_AsString(bytes)) : NULL;

    if (!copy)
        show_unraisable(NULL);
    Py_XDECREF(bytes);
    return copy;
}

PyObject *
object_from_text(const char *text)
{
    PyObject *object = PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "surrogateescape");
    return strstr(text, NUL_BYTES) ? replace_nul(object, true) : object;
}

/* ---- reports --------------------------------------------------------------------- */

/* dict[key] = value, unless an earlier step has failed. Steals value; NULL is a failure. */
static bool
set_item(bool fine, PyObject *dict, const char *key, PyObject *value)
{
    fine = fine && value && PyDict_SetItemString(dict, key, value) == 0;
    Py_XDECREF(value);
    return fine;
}

static bool
is_of_transport(const asy_handle *core)
{
    asy_transport *transport;
    asy_protocol *protocol;
    asy_error *exc;
    return asy_handle_get_transport(core, &transport, &protocol, &exc);
}

/* Spec: context.source_traceback */
static bool
set_handle(bool fine, PyObject *dict, asy_handle *core)
{
    HandleObject *handle = python_handle_from_core(core);

    if (!handle && is_of_transport(core))
        return set_item(fine, dict, "handle", (PyObject *)python_handle_for(core));
    if (!handle)
        return fine;
    fine = set_item(fine, dict, "handle", Py_NewRef((PyObject *)handle));
    PyObject *traceback = handle_extra(handle, EXTRA_TRACEBACK);
    if (traceback && PyObject_Size(traceback) > 0)
        fine = set_item(fine, dict, "source_traceback", Py_NewRef(traceback));
    return fine;
}

/* Spec: debug.source_traceback */
static bool
set_future(bool fine, PyObject *dict, const char *key, asy_future *core)
{
    FutureObject *future = python_future_from_core(core);

    if (!future)
        return fine;
    fine = set_item(fine, dict, key, Py_NewRef((PyObject *)future));
    if (future->source_traceback)
        fine = set_item(fine, dict, "source_traceback", Py_NewRef(future->source_traceback));
    return fine;
}

static PyObject *
protocol_or_none(const asy_protocol *protocol)
{
    PyObject *object = object_of_protocol(protocol);
    return Py_NewRef(object ? object : Py_None);
}

PyObject *
dict_from_report(const asy_report *report)
{
    if (report->foreign)
        return Py_NewRef((PyObject *)report->foreign);
    PyObject *dict = PyDict_New();
    bool fine = dict != NULL;
    if (report->message)
        fine = set_item(fine, dict, "message", object_from_text(report->message));
    if (fine && report->exception)
        fine = set_item(fine, dict, "exception", exception_from_error(report->exception));
    if (fine && report->future)
        fine = set_future(fine, dict, "future", report->future);
    if (fine && report->task)
        fine = set_future(fine, dict, "task", asy_task_future(report->task));
    if (fine && report->transport)
        fine = set_item(fine, dict, "transport",
                        Py_XNewRef(object_of_transport(report->transport)));
    if (fine && report->transport)
        fine = set_item(fine, dict, "protocol", protocol_or_none(report->protocol));
    if (fine && report->nested)
        fine = set_item(fine, dict, "context", dict_from_report(report->nested));
    if (fine && report->handle)
        fine = set_handle(fine, dict, report->handle);
    for (size_t i = 0; fine && i < report->item_count; i++)
        fine = set_item(fine, dict, report->items[i].key,
                        object_from_text(report->items[i].value));
    if (!fine)
        Py_CLEAR(dict);
    return dict;
}

PyObject *
handled_exception(const asy_report *report, PyObject *dict)
{
    bool in_except_clause = !report->foreign
                            && (report->handle || report->transport || report->nested);
    return in_except_clause ? PyDict_GetItemString(dict, "exception") : NULL;
}
