/* SPDX-License-Identifier: MIT */
/* An echo server and its client, on the two ends of a socket pair, as in echo.py. */
#include "example_io.h"

struct serve {
    asy_coro        co;
    struct endpoint theirs;         /* owned */
};

/* Send back whatever comes, until the other end is shut down. */
ASYNC(serve)
{
    ASYNC_BEGIN;
    do {
        AWAIT(receive("server", &self->theirs));
        TRY(transmit(&self->theirs, self->theirs.text));
    } while (self->theirs.text[0]);
    ASYNC_END;
}

FINALLY(serve)
{
    close_endpoint(&self->theirs);
}

struct program {
    asy_coro        co;
    asy_loop       *loop;
    struct endpoint ours;           /* owned */
    asy_task       *server;
    int             turn;
};

/* Start the server, and be its client. */
ASYNC(program)
{
    static const char *const words[] = { "one", "two", "three" };
    struct endpoint theirs;

    ASYNC_BEGIN;
    TRY(connect_endpoints(&self->ours, &theirs));
    TRY(create_task(self->loop, ASYNC_CALL(serve, .theirs = theirs), &self->server));
    for (; self->turn < 3; self->turn++) {
        TRY(transmit(&self->ours, words[self->turn]));
        AWAIT(receive("client", &self->ours));
    }
    shutdown(self->ours.fd, SHUT_WR);
    AWAIT(self->server);
    ASYNC_END;
}

FINALLY(program)
{
    close_endpoint(&self->ours);
    asy_task_unref(self->server);
}

ASYNCIO_RUN(ASYNC_CALL(program, .loop = loop))
