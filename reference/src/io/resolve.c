/* SPDX-License-Identifier: MIT */
/*
 * getaddrinfo() and getnameinfo(): two jobs for the default executor. What literal.c can answer
 * is no job, as long as nobody has promised the program that it would be.
 *
 * The question, with room for the answer, is the argument of the job. It belongs to the coroutine
 * until that is begun, to the job until it has ended, and then to the future: so an answer that
 * comes when nobody waits for it any more is given back with its question.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "core/loop_impl.h"

#include <asy/coro.h>
#include <asy/executor.h>
#include <asy/future.h>
#include <asy/resolve.h>
#include <errno.h>
#include <netdb.h>
#include <string.h>

#define MILLISECONDS 1e3            /* in a second */

/* socket.gaierror(status, text), and OSError for what the system says. NULL for 0. */
static asy_error *
error_of_status(int status, int errnum)
{
    if (status == 0)
        return ASY_OK;
    if (status == EAI_SYSTEM)
        return asy_error_new_os(errnum);
    asy_error *error = asy_error_new(ASY_gaierror, "[Errno %d] %s", status, gai_strerror(status));
    error->errnum = status;
    return error;
}

/* ---- getaddrinfo ------------------------------------------------------------------ */

struct address_question {
    char            *host;              /* or NULL */
    char            *service;           /* or NULL */
    struct addrinfo  hints;
    struct addrinfo *answer;
    double           seconds;           /* that it took */
};

static struct address_question *
address_question_new(const char *host, const char *service, const struct addrinfo *hints)
{
    struct address_question *question = asy_alloc(sizeof *question);

    question->host = alloc_text(host);
    question->service = alloc_text(service);
    if (hints) {
        question->hints.ai_family = hints->ai_family;
        question->hints.ai_socktype = hints->ai_socktype;
        question->hints.ai_protocol = hints->ai_protocol;
        question->hints.ai_flags = hints->ai_flags;
    }
    return question;
}

static void
address_question_free(void *argument)
{
    struct address_question *question = argument;

    if (!question)
        return;
    if (question->answer)
        freeaddrinfo(question->answer);
    asy_free(question->host);
    asy_free(question->service);
    asy_free(question);
}

/* In a thread of the executor. */
static asy_error *
find_addresses(void *argument)
{
    struct address_question *question = argument;
    double start = clock_monotonic();
    int status = getaddrinfo(question->host, question->service, &question->hints,
                             &question->answer);
    int errnum = errno;

    question->seconds = clock_monotonic() - start;
    return error_of_status(status, errnum);
}

/* "host:service, family=2": the options that are not 0. */
static char *
describe_question(const struct address_question *question)
{
    const struct addrinfo *hints = &question->hints;
    const struct { const char *name; int value; } options[] = {
        { "family", hints->ai_family }, { "type", hints->ai_socktype },
        { "proto", hints->ai_protocol }, { "flags", hints->ai_flags },
    };
    char *text = asy_format("%s:%s", question->host ? question->host : "None",
                            question->service ? question->service : "None");

    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        if (options[i].value == 0)
            continue;
        char *longer = asy_format("%s, %s=%d", text, options[i].name, options[i].value);
        asy_free(text);
        text = longer;
    }
    return text;
}

static asy_error *
log_question(asy_loop *loop, const struct address_question *question)
{
    if (!asy_loop_get_debug(loop))
        return ASY_OK;
    char *text = describe_question(question);
    char *message = asy_format("Get address info %s", text);
    asy_error *err = host_log(loop, ASY_LOG_DEBUG, message, NULL);
    asy_free(message);
    asy_free(text);
    return err;
}

static asy_error *
log_answer(asy_loop *loop, const struct address_question *question)
{
    bool slow = question->seconds >= asy_loop_get_slow_callback_duration(loop);
    int count = 0;

    for (const struct addrinfo *each = question->answer; each; each = each->ai_next)
        count++;
    char *text = describe_question(question);
    char *message = asy_format("Getting address info %s took %.3fms: %d addresses", text,
                               question->seconds * MILLISECONDS, count);
    asy_error *err = host_log(loop, slow ? ASY_LOG_INFO : ASY_LOG_DEBUG, message, NULL);
    asy_free(message);
    asy_free(text);
    return err;
}

struct getaddrinfo {
    asy_coro                 co;
    asy_loop                *loop;
    struct address_question *question;
    struct addrinfo        **ret_addresses;
    bool                     debug;
    asy_future              *answered;
};

/* Debug mode logs what was asked, and whoever has an executor of his own may count its jobs; jobs
 * that fill the executor delay this one. */
static bool
answer_at_once(struct getaddrinfo *self)
{
    const struct address_question *question = self->question;

    return !asy_loop_get_debug(self->loop) && loop_has_idle_executor(self->loop)
           && asy_getaddrinfo_literal(question->host, question->service, &question->hints,
                                      self->ret_addresses);
}

/* From here on the question is the job's. */
static asy_error *
ask_for_addresses(struct getaddrinfo *self)
{
    struct address_question *question = self->question;

    self->debug = asy_loop_get_debug(self->loop);
    TRY(log_question(self->loop, question));
    self->question = NULL;
    return asy_run_in_executor(self->loop, NULL,
                               asy_own(find_addresses, question, address_question_free),
                               &self->answered);
}

static asy_error *
take_addresses(struct getaddrinfo *self)
{
    void *result;

    TRY(asy_future_result(self->answered, &result));
    struct address_question *question = result;
    if (self->debug)
        TRY(log_answer(self->loop, question));
    *self->ret_addresses = question->answer;
    question->answer = NULL;
    return ASY_OK;
}

ASYNC(getaddrinfo)
{
    ASYNC_BEGIN;

    if (answer_at_once(self))
        return ASY_OK;
    TRY(ask_for_addresses(self));
    AWAIT(self->answered);
    return take_addresses(self);

    ASYNC_END;
}

FINALLY(getaddrinfo)
{
    address_question_free(self->question);
    asy_future_unref(self->answered);
}

/* see resolve.h.  CPython: BaseEventLoop.getaddrinfo, _getaddrinfo_debug */
asy_coro *
asy_getaddrinfo(asy_loop *loop, const char *host, const char *service,
                const struct addrinfo *hints, struct addrinfo **ret_addresses)
{
    return ASYNC_CALL(getaddrinfo, .loop = loop,
                      .question = address_question_new(host, service, hints),
                      .ret_addresses = ret_addresses);
}

/* ---- getnameinfo ------------------------------------------------------------------ */

struct name_question {
    struct sockaddr_storage address;
    socklen_t               size;
    int                     flags;
    char                    host[NI_MAXHOST];
    char                    service[NI_MAXSERV];
};

static struct name_question *
name_question_new(const struct sockaddr *address, socklen_t size, int flags)
{
    struct name_question *question = asy_alloc(sizeof *question);

    question->size = size;
    question->flags = flags;
    if (size > 0 && size <= sizeof question->address)
        memcpy(&question->address, address, size);
    return question;
}

/* In a thread of the executor. */
static asy_error *
find_names(void *argument)
{
    struct name_question *question = argument;
    int status = getnameinfo((const struct sockaddr *)&question->address, question->size,
                             question->host, sizeof question->host, question->service,
                             sizeof question->service, question->flags);

    return error_of_status(status, errno);
}

struct getnameinfo {
    asy_coro              co;
    asy_loop             *loop;
    struct name_question *question;
    char                **ret_host;
    char                **ret_service;
    asy_future           *answered;
};

/* From here on the question is the job's. */
static asy_error *
ask_for_names(struct getnameinfo *self)
{
    struct name_question *question = self->question;

    if (question->size > sizeof question->address)
        RAISE(ValueError, "the address of %u bytes is longer than any", (unsigned)question->size);
    self->question = NULL;
    return asy_run_in_executor(self->loop, NULL, asy_own(find_names, question, asy_free),
                               &self->answered);
}

static asy_error *
take_names(struct getnameinfo *self)
{
    void *result;

    TRY(asy_future_result(self->answered, &result));
    const struct name_question *question = result;
    *self->ret_host = alloc_text(question->host);
    *self->ret_service = alloc_text(question->service);
    return ASY_OK;
}

ASYNC(getnameinfo)
{
    ASYNC_BEGIN;

    TRY(ask_for_names(self));
    AWAIT(self->answered);
    return take_names(self);

    ASYNC_END;
}

FINALLY(getnameinfo)
{
    asy_free(self->question);
    asy_future_unref(self->answered);
}

/* see resolve.h.  CPython: BaseEventLoop.getnameinfo */
asy_coro *
asy_getnameinfo(asy_loop *loop, const struct sockaddr *address, socklen_t size, int flags,
                char **ret_host, char **ret_service)
{
    return ASYNC_CALL(getnameinfo, .loop = loop,
                      .question = name_question_new(address, size, flags),
                      .ret_host = ret_host, .ret_service = ret_service);
}
