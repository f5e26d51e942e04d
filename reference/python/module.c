/* SPDX-License-Identifier: MIT */
/*
 * The module asy._asy: its state, and how it is filled.
 *
 * Initialisation has several phases and all types are on the heap, so that each interpreter of a
 * process has a module of its own.
 */
#include "coroutine_type.h"
#include "future_type.h"
#include "handle_type.h"
#include "loop_type.h"
#include "raise.h"
#include "state.h"
#include "task_type.h"
#include "transport_type.h"

#define MOST_SPARE_HANDLES 256

static PyModuleDef module_def;

struct module_state *
state_of_type(PyTypeObject *type)
{
    for (PyTypeObject *each = type; each; each = PyType_GetSlot(each, Py_tp_base)) {
        PyObject *module = PyType_GetModule(each);
        if (module && PyModule_GetDef(module) == &module_def)
            return PyModule_GetState(module);
        PyErr_Clear();
    }
    PyErr_Format(PyExc_TypeError, "%R does not derive from asy._asy.Loop", type);
    return NULL;
}

int
check_base_size(PyObject *base, size_t expected)
{
    PyObject *size = PyObject_GetAttrString(base, "__basicsize__");
    size_t found = size ? PyLong_AsSize_t(size) : 0;

    Py_XDECREF(size);
    if (PyErr_Occurred())
        return -1;
    if (found != expected) {
        PyErr_Format(PyExc_ImportError, "asy was built for another Python: instances of %R have "
                                        "%zu bytes and not %zu", base, found, expected);
        return -1;
    }
    return 0;
}

PyTypeObject *
new_type(PyObject *module, PyType_Spec *spec, PyObject *base, PyObject *second_base)
{
    PyObject *bases = second_base ? PyTuple_Pack(2, base, second_base) : PyTuple_Pack(1, base);
    PyObject *type = bases ? PyType_FromModuleAndSpec(module, spec, bases) : NULL;

    Py_XDECREF(bases);
    return (PyTypeObject *)type;
}

static PyObject *
import_attribute(const char *module_name, const char *attribute)
{
    PyObject *module = PyImport_ImportModule(module_name);
    PyObject *value = module ? PyObject_GetAttrString(module, attribute) : NULL;

    Py_XDECREF(module);
    return value;
}

static int
import_all(struct module_state *state)
{
#define IMPORT(name, module, attribute)                                                    \
    state->name = import_attribute(module, attribute);                                     \
    if (!state->name)                                                                      \
        return -1;
    MODULE_IMPORTS(IMPORT)
#undef IMPORT
    return 0;
}

static int
make_no_loop(struct module_state *state)
{
    asy_error *err = asy_loop_new(NULL, &state->no_loop);

    if (!err)
        err = asy_loop_close(state->no_loop);
    if (err)
        raise_error(err);
    return err ? -1 : 0;
}

static int
make_objects(PyObject *module, struct module_state *state)
{
    state->spare_handle_limit = MOST_SPARE_HANDLES;
    state->loop_keyword = Py_BuildValue("(s)", "loop");
    state->context_name = PyUnicode_InternFromString("context");
    state->empty_tuple = PyTuple_New(0);
    state->run_until_complete_done = PyCFunction_NewEx(&run_until_complete_done_def, module, NULL);
    state->copy_state = PyCFunction_NewEx(&copy_state_def, module, NULL);
    if (!state->loop_keyword || !state->context_name || !state->empty_tuple
        || !state->run_until_complete_done || !state->copy_state)
        return -1;
    return make_no_loop(state);
}

static int
module_exec(PyObject *module)
{
    struct module_state *state = PyModule_GetState(module);

    if (import_all(state) < 0 || make_objects(module, state) < 0)
        return -1;
    if (set_asyncio_classes(state->cancelled_error, state->invalid_state_error,
                            state->sendfile_not_available_error) < 0)
        return -1;
    if (add_handle_types(module, state) < 0 || add_future_types(module, state) < 0
        || add_task_type(module, state) < 0 || add_coroutine_type(module, state) < 0)
        return -1;
    if (add_transport_types(module, state) < 0)
        return -1;
    return add_loop_type(module, state);
}

static int
module_traverse(PyObject *module, visitproc visit, void *arg)
{
    struct module_state *state = PyModule_GetState(module);

    Py_VISIT(state->handle_type);
    Py_VISIT(state->threadsafe_handle_type);
    Py_VISIT(state->timer_handle_type);
    Py_VISIT(state->loop_type);
    Py_VISIT(state->future_type);
    Py_VISIT(state->future_iterator_type);
    Py_VISIT(state->task_type);
    Py_VISIT(state->native_coroutine_type);
    Py_VISIT(state->read_pipe_transport_type);
    Py_VISIT(state->write_pipe_transport_type);
    Py_VISIT(state->run_until_complete_done);
    Py_VISIT(state->copy_state);
#define VISIT(name, module, attribute) Py_VISIT(state->name);
    MODULE_IMPORTS(VISIT)
#undef VISIT
    return 0;
}

static int
module_clear(PyObject *module)
{
    struct module_state *state = PyModule_GetState(module);

    free_spare_handles(state);
    Py_CLEAR(state->handle_type);
    Py_CLEAR(state->threadsafe_handle_type);
    Py_CLEAR(state->timer_handle_type);
    Py_CLEAR(state->loop_type);
    Py_CLEAR(state->future_type);
    Py_CLEAR(state->future_iterator_type);
    Py_CLEAR(state->task_type);
    Py_CLEAR(state->native_coroutine_type);
    Py_CLEAR(state->read_pipe_transport_type);
    Py_CLEAR(state->write_pipe_transport_type);
    Py_CLEAR(state->run_until_complete_done);
    Py_CLEAR(state->copy_state);
    Py_CLEAR(state->loop_keyword);
    Py_CLEAR(state->context_name);
    Py_CLEAR(state->empty_tuple);
    state->no_loop = asy_loop_unref(state->no_loop);
#define CLEAR(name, module, attribute) Py_CLEAR(state->name);
    MODULE_IMPORTS(CLEAR)
#undef CLEAR
    return 0;
}

static void
module_free(void *module)
{
    module_clear(module);
}

static PyModuleDef_Slot module_slots[] = {
    { Py_mod_exec, module_exec },
    { 0, NULL },
};

static PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "asy._asy",
    .m_doc = "The event loop of the asy library, for asy.EventLoop.",
    .m_size = sizeof(struct module_state),
    .m_methods = native_functions,
    .m_slots = module_slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = module_free,
};

PyMODINIT_FUNC PyInit__asy(void);

PyMODINIT_FUNC
PyInit__asy(void)
{
    return PyModuleDef_Init(&module_def);
}
