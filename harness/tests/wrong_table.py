# SPDX-License-Identifier: MIT
"""Which scenario catches each deliberately wrong loop, as which kind of difference, in which words.

The words are what the sentence must contain so that a reader understands the bug from it alone.  The loops are
in the other modules called ``wrong_*``; ``test_wrong_loops.py`` holds them to the table.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Caught:
    """How a wrong loop is caught: the scenario, the kind of its first difference (or "hang"), telling words.

    newer: the bug is in what came with Python 3.12.
    """

    scenario: str
    kind: str
    words: str
    newer: bool = False

    @property
    def area(self) -> str:
        """The area of the scenario."""
        return self.scenario.partition("/")[0]


WRONG = {
    "wrong_loops:LastInFirstOut": Caught(
        "callbacks/call_soon_runs_in_order", "order", "“third” came before “first” and “second”"
    ),
    "wrong_loops:NewCallbacksRunInTheSameIteration": Caught(
        "running/stop_finishes_the_batch", "extra", "“scheduled after stop” happened"
    ),
    "wrong_loops:OnlyTheFirstArgument": Caught(
        "callbacks/call_soon_passes_arguments", "value", "OnlyTheFirstArgument has (1,) {}"
    ),
    "wrong_loops:SameCallbackOnlyOnce": Caught(
        "callbacks/callback_scheduled_twice_runs_twice", "missing", "“callback” did not happen"
    ),
    "wrong_loops:CallbackRunsInsideCallSoon": Caught(
        "callbacks/call_soon_does_not_call_at_once",
        "order",
        "“scheduled by the callback” came before “callback ends”",
    ),
    "wrong_loops:CancelledCallbackRuns": Caught(
        "handles/cancelled_callback_does_not_run", "extra", "“callback” happened"
    ),
    "wrong_loops:ContextIsLost": Caught(
        "contexts/call_soon_runs_in_its_context", "value", "“keyword”: asyncio has 'given'"
    ),
    "wrong_loops:ContextIsShared": Caught(
        "contexts/call_soon_runs_in_its_context", "value", "ContextIsShared has 'changed by default'"
    ),
    "wrong_loops:TimersAreEarly": Caught("timers/timer_runs_after_its_delay", "early", "before it was due"),
    "wrong_loops:TimersOfAMillisecondRunTogether": Caught(
        "timers/no_timer_is_early_at_all", "value", "“some came early”: asyncio has False"
    ),
    "wrong_loops:TimersAreLate": Caught(
        "timers/delay_may_be_an_int_or_a_float", "late", "ms after it was due"
    ),
    "wrong_loops:TimersAreSlow": Caught(
        "timers/cancelled_earliest_timer_leaves_the_next_on_time", "slow", "of its delay"
    ),
    "wrong_loops:PastTimersAreDropped": Caught(
        "timers/negative_delay_runs_after_queued_callbacks", "missing", "“negative delay” did not happen"
    ),
    "wrong_loops:CancellingDropsTheNextTimer": Caught(
        "timers/many_cancelled_timers_leave_the_others_in_order", "value", "asyncio has True 100"
    ),
    "wrong_loops:TimersFireTwice": Caught("timers/timer_runs_exactly_once", "extra", "happened on"),
    "wrong_loops:TimersInSchedulingOrder": Caught(
        "timers/deadlines_within_a_millisecond_keep_their_order",
        "order",
        "“timer 3” came before “timer 1” and “timer 2”",
    ),
    "wrong_loops:CancelledTimerRuns": Caught(
        "timers/cancelled_timer_never_runs", "extra", "“cancelled before the run” happened"
    ),
    "wrong_loops:DeadlineIsTakenForADelay": Caught(
        "timers/call_at_and_call_later_share_a_clock", "missing", "“call_at, 2 ticks” did not happen"
    ),
    "wrong_loops:DeadlineIsToldAsADelay": Caught(
        "handles/when_is_the_moment_given_to_call_at", "value", "“near”: asyncio has True"
    ),
    "wrong_loops:ZeroDelayOvertakes": Caught(
        "timers/zero_delay_runs_after_queued_callbacks", "order", "“zero delay” came before “queued before”"
    ),
    "wrong_loops:TimeIsTheWallClock": Caught(
        "timers/time_is_not_the_wall_clock", "value", "“a day apart at least”: asyncio has True"
    ),
    "wrong_loops:StopsAtOnce": Caught(
        "running/stop_finishes_the_batch", "missing", "“same batch” did not happen"
    ),
    "wrong_loops:StopsTooLate": Caught(
        "running/stop_finishes_the_batch", "extra", "“scheduled after stop” happened"
    ),
    "wrong_loops:StopIsNotConsumed": Caught(
        "running/stop_ends_one_run_only", "missing", "“timer” did not happen"
    ),
    "wrong_loops:StoppedRunReturnsNothing": Caught(
        "running/stop_before_the_result_raises_runtime_error", "class", "StoppedRunReturnsNothing has None"
    ),
    "wrong_loops:RunUntilCompleteSwallows": Caught(
        "running/exception_comes_out_of_the_call", "missing", "“raised” did not happen"
    ),
    "wrong_loops:IsNeverRunning": Caught(
        "running/is_running_follows_the_run", "value", "“callback”: asyncio has True"
    ),
    "wrong_loops:NestedRunIsAccepted": Caught(
        "running/run_inside_a_run_is_refused", "class", "'This event loop is already running'"
    ),
    "wrong_loops:StaysTheRunningLoop": Caught(
        "loops/no_loop_is_seen_from_outside", "class", "asyncio has RuntimeError('no running event loop')"
    ),
    "wrong_loops:ClosedLoopAcceptsCallbacks": Caught(
        "running/closed_loop_accepts_no_callbacks", "class", "ClosedLoopAcceptsCallbacks has 'accepted'"
    ),
    "wrong_loops:CloseRunsWhatIsPending": Caught(
        "running/pending_callbacks_are_dropped", "extra", "“ran: callback” happened"
    ),
    "wrong_loops:RunningLoopCanBeClosed": Caught(
        "running/running_loop_cannot_be_closed", "class", "RunningLoopCanBeClosed has 'accepted'"
    ),
    "wrong_loops:CloseLeavesADescriptor": Caught(
        "running/pending_callbacks_are_dropped", "leak", "left 1 descriptor (socket) open"
    ),
    "wrong_loops:GeneratorsAreNotShutDown": Caught(
        "running/shutdown_closes_the_open_generators", "missing", "“closed” did not happen"
    ),
    "wrong_edges:LosesEveryWakeUp": Caught(
        "threads/threadsafe_call_wakes_an_idle_loop", "extra", "“the far timer” happened"
    ),
    "wrong_edges:WakesOnlyOnce": Caught(
        "threads/every_threadsafe_call_wakes_the_loop", "value", "“answers”: asyncio has 100 True"
    ),
    "wrong_edges:ThreadsafeCallbackRunsTwice": Caught(
        "threads/threadsafe_call_wakes_an_idle_loop", "extra", "“woken” happened"
    ),
    "wrong_edges:ThreadsafeCallbacksAreReversed": Caught(
        "threads/callbacks_that_pile_up_keep_their_order",
        "order",
        "“third” came before “first” and “second”",
    ),
    "wrong_edges:ReplacedReaderStillRuns": Caught(
        "descriptors/second_reader_replaces_the_first", "extra", "“first reader” happened"
    ),
    "wrong_edges:RemoveReaderReturnsNothing": Caught(
        "descriptors/remove_reader_returns_true_for_a_watched_descriptor", "value", "asyncio has True"
    ),
    "wrong_edges:RemovedReaderStillRuns": Caught(
        "descriptors/removal_cancels_a_queued_reader", "extra", "“one of them” happened"
    ),
    "wrong_edges:ReadersAreEdgeTriggered": Caught(
        "descriptors/reader_repeats_while_data_remain", "missing", "“readable” did not happen"
    ),
    "wrong_edges:DoneCallbacksRunInsideSetResult": Caught(
        "futures/done_callbacks_wait_for_the_loop", "order", "“added first” came before “result set”"
    ),
    "wrong_edges:DoneCallbacksAreReversed": Caught(
        "futures/done_callbacks_wait_for_the_loop", "order", "“added second” came before “added first”"
    ),
    "wrong_edges:TasksStartEagerly": Caught(
        "tasks/task_waits_for_its_turn", "order", "“first step” came before “created”"
    ),
    "wrong_edges:TaskNameIsLost": Caught("tasks/task_has_a_name", "value", "asyncio has 'reader'"),
    "wrong_edges:TaskContextIsLost": Caught(
        "contexts/task_runs_in_the_given_context", "value", "“first step”: asyncio has 'given'"
    ),
    "wrong_edges:TaskFactoryIsIgnored": Caught(
        "tasks/task_factory_makes_the_tasks", "missing", "“factory” did not happen"
    ),
    "wrong_edges:ErrorsAreSwallowed": Caught(
        "errors/failing_callback_leaves_the_others_running", "missing", "“report” did not happen"
    ),
    "wrong_edges:ErrorEndsTheRun": Caught(
        "errors/system_exit_in_the_handler_leaves_the_run", "class", "ErrorEndsTheRun has LookupError"
    ),
    "wrong_edges:InterruptIsSwallowed": Caught(
        "errors/system_exit_leaves_the_run", "missing", "“run_forever raised” did not happen"
    ),
    "wrong_edges:HandlerGetsAnotherKey": Caught(
        "errors/failing_callback_is_reported_with_its_handle", "value", "has ['handle', 'message']"
    ),
    "wrong_edges:HandlerCannotBeTakenBack": Caught(
        "errors/handler_can_be_asked_for", "value", "“removed”: asyncio has None"
    ),
    "wrong_edges:DebugModeIsIgnored": Caught(
        "debug/debug_mode_is_set_and_read", "value", "“debug”: asyncio has True"
    ),
    "wrong_edges:SlowCallbacksAreNotLogged": Caught(
        "debug/slow_callback_is_logged", "log", "does not have the log record WARNING 'Executing"
    ),
    "wrong_edges:InterruptIsTakenOver": Caught(
        "running/closed_loop_leaves_nothing_behind", "leak", "left another handler of SIGINT (function)"
    ),
    "wrong_edges:WakeUpDescriptorStays": Caught(
        "running/closed_loop_leaves_nothing_behind", "leak", "left the wake-up descriptor of signals set"
    ),
    "wrong_edges:GeneratorHooksStay": Caught(
        "running/closed_loop_leaves_nothing_behind", "leak", "left the finalizer hook of asynchronous"
    ),
    "wrong_edges:MarkStaysWhenClosed": Caught(
        "running/closed_loop_leaves_nothing_behind", "leak", "left a loop marked as the running one"
    ),
    "wrong_io:ReceivesMoreThanAsked": Caught(
        "sockets/sock_recv_returns_bytes", "value", "“first”: asyncio has b'0123'"
    ),
    "wrong_io:ReceivingAlwaysWaits": Caught(
        "sockets/sock_recv_that_need_not_wait_lets_nobody_run",
        "order",
        "“queued before” came before “received”",
    ),
    "wrong_io:CancelledReceivingGoesOn": Caught(
        "sockets/cancelled_sock_recv_loses_nothing", "value", "“watched”: asyncio has False"
    ),
    "wrong_io:CancelledAcceptingGoesOn": Caught(
        "sockets/cancelled_sock_accept_loses_no_connection", "value", "“watched”: asyncio has False"
    ),
    "wrong_io:TellsTheSizeOfTheBuffer": Caught(
        "sockets/sock_recvfrom_into_fills_the_buffer", "value", "“received”: asyncio has 4 b'data..'"
    ),
    "wrong_io:SendallStopsAfterAPiece": Caught(
        "sockets/all_has_been_sent_when_sock_sendall_returns", "value", "“arrived”: asyncio has 2000000"
    ),
    "wrong_io:SendtoReturnsNothing": Caught(
        "sockets/sock_sendto_and_sock_recvfrom_meet", "value", "“sent”: asyncio has 4"
    ),
    "wrong_io:RefusalIsSwallowed": Caught(
        "sockets/sock_connect_to_nobody_is_refused", "missing", "“raised” did not happen"
    ),
    "wrong_io:AcceptedSocketBlocks": Caught(
        "sockets/accepted_socket_does_not_block", "value", "AcceptedSocketBlocks has 5.0"
    ),
    "wrong_io:BlockingSocketsAreAccepted": Caught(
        "sockets/sock_recv_into_refuses_blocking_sockets_in_debug_mode", "missing", "“raised” did not happen"
    ),
    "wrong_io:SendfileIgnoresTheOffset": Caught(
        "sockets/sock_sendfile_sends_a_part", "value", "“position”: asyncio has 5"
    ),
    "wrong_io:SendfileLeavesThePosition": Caught(
        "sockets/sock_sendfile_sends_a_part", "value", "SendfileLeavesThePosition has 0"
    ),
    "wrong_io:SendfileAlwaysFallsBack": Caught(
        "sockets/sock_sendfile_without_fallback_needs_a_real_file", "missing", "“raised” did not happen"
    ),
    "wrong_pipes:WritingIsNeverPaused": Caught(
        "pipes/pause_writing_and_resume_writing_alternate", "missing", "“pause_writing” did not happen"
    ),
    "wrong_pipes:ClosingDropsWhatWaits": Caught(
        "pipes/close_sends_what_waits_first", "value", "“received”: asyncio has 1000000"
    ),
    "wrong_pipes:PausedReadingGoesOn": Caught(
        "pipes/nothing_is_received_while_reading_is_paused",
        "order",
        "“data_received” came before “resumed”",
    ),
    "wrong_pipes:EndIsNotTold": Caught(
        "pipes/eof_received_comes_once_and_the_transport_closes",
        "missing",
        "“eof_received” did not happen",
    ),
    "wrong_pipes:PipeIsLeftOpen": Caught(
        "pipes/read_pipe_may_be_any_object_with_a_descriptor", "missing", "“close” (pipe) did not happen"
    ),
    "wrong_pipes:ConnectionIsMadeAtOnce": Caught(
        "pipes/connect_read_pipe_takes_two_iterations", "order", "“connection_made” came before “iteration”"
    ),
    "wrong_io:JobsRunInTheLoop": Caught(
        "executors/job_runs_in_another_thread", "value", "“ran in the main thread”: asyncio has False"
    ),
    "wrong_io:DefaultExecutorStays": Caught(
        "executors/set_default_executor_decides_what_none_means", "missing", "“submit” did not happen"
    ),
    "wrong_io:ErrorsOfJobsAreSwallowed": Caught(
        "executors/exception_of_the_job_is_raised_by_await", "missing", "“raised” did not happen"
    ),
    "wrong_io:CancelledJobRuns": Caught(
        "executors/cancelled_job_that_has_not_begun_never_runs", "extra", "“second job” happened"
    ),
    "wrong_io:ShutdownDoesNotWait": Caught(
        "executors/shutdown_waits_for_the_jobs", "value", "“job was released”: asyncio has True"
    ),
    "wrong_io:ShutdownIsForgotten": Caught(
        "executors/default_executor_takes_no_jobs_after_its_shutdown", "missing", "“refused” did not happen"
    ),
    "wrong_io:ShutdownWaitsBeyondItsTimeout": Caught(
        "executors/shutdown_whose_time_is_over_warns_and_goes_on",
        "value",
        "“released”: asyncio has True",
        newer=True,
    ),
    "wrong_io:ShutdownDoesNotWarn": Caught(
        "executors/shutdown_whose_time_is_over_warns_and_goes_on",
        "value",
        "“warnings”: asyncio has [(RuntimeWarning",
        newer=True,
    ),
    "wrong_io:ResolutionBlocksTheLoop": Caught(
        "names/resolution_does_not_block_the_loop", "order", "“resolved” came before “callback”"
    ),
    "wrong_io:FamilyIsIgnored": Caught(
        "names/options_choose_among_the_addresses", "value", "FamilyIsIgnored has {(10, 1, 6, ('::1', 80"
    ),
    "wrong_io:NameFlagsAreIgnored": Caught(
        "names/names_are_those_of_the_socket_module", "value", "“numeric”: asyncio has ('127.0.0.1', '80')"
    ),
    "wrong_io:ResolutionErrorsAreGeneral": Caught(
        "names/failed_resolution_raises_gaierror", "class", "ended with OSError('cannot resolve no address')"
    ),
}
