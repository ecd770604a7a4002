"""What API servers say of their own latency, over a drill in which some of them restart."""

from hypothesis import given
from hypothesis import strategies as st

from drills.server_latency import Counts, Served, counts, merged, served

PAGE = """\
# TYPE apiserver_request_duration_seconds histogram
apiserver_request_duration_seconds_bucket{component="apiserver",resource="configmaps",verb="GET",le="0.4"} 90
apiserver_request_duration_seconds_bucket{component="apiserver",resource="configmaps",verb="GET",le="0.45"} 95
apiserver_request_duration_seconds_bucket{component="apiserver",resource="pods",verb="GET",le="0.4"} 9
apiserver_request_duration_seconds_bucket{component="apiserver",resource="pods",verb="WATCH",le="0.4"} 1
apiserver_request_duration_seconds_count{component="apiserver",resource="configmaps",verb="GET"} 100
apiserver_request_duration_seconds_count{component="apiserver",resource="pods",verb="GET"} 10
apiserver_request_duration_seconds_count{component="apiserver",resource="pods",verb="WATCH"} 7
apiserver_request_duration_seconds_sum{component="apiserver",resource="pods",verb="GET"} 1.5
process_start_time_seconds 1.7e+09
"""


def test_a_page_is_summed_by_verb_without_what_lasts() -> None:
    assert counts(PAGE) == Counts(1.7e9, {"GET": 110}, {"GET": 99})


def test_only_what_came_in_between_counts() -> None:
    before = {"a": Counts(1.0, {"GET": 100}, {"GET": 100})}
    after = {"a": Counts(1.0, {"GET": 150, "PUT": 3}, {"GET": 140, "PUT": 3})}
    assert served(before, after) == (Served("GET", 50, 40), Served("PUT", 3, 3))


def test_a_server_that_restarted_counts_from_zero() -> None:
    before = {"a": Counts(1.0, {"GET": 100}, {"GET": 100})}
    assert served(before, {"a": Counts(2.0, {"GET": 10}, {"GET": 9})}) == (Served("GET", 10, 9),)


@given(st.lists(st.tuples(st.sampled_from(["GET", "PUT"]), st.integers(1, 99))))
def test_nothing_is_lost_in_a_sum_over_runs(found: list[tuple[str, int]]) -> None:
    runs = [[Served(verb, count, count)] for verb, count in found]
    assert sum(one.requests for one in merged(runs)) == sum(count for _, count in found)
